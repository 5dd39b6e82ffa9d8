"""The weights that ship, each described in a card beside it; `SHA256SUMS` of those that `shipped.py` checks."""
