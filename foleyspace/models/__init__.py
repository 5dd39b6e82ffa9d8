"""The weights that ship, each with a card beside it; `SHA256SUMS` of those that `shipped.py` checks."""
