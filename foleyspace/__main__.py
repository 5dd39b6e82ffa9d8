"""`python -m foleyspace` is the command line."""

from foleyspace.cli import main

if __name__ == "__main__":
    main()
