"""What foleyspace raises on purpose. The command line turns these into one line and an exit code."""

from __future__ import annotations


class FoleyspaceError(Exception):
    """Good input, but the work could not be done (exit code 1)."""


class InputError(FoleyspaceError, ValueError):
    """Bad input or usage: the message says what was wrong and what is accepted (exit code 2)."""
