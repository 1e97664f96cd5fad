"""`python -m plantroom` is the `plantroom` command."""

from plantroom.cli import main

if __name__ == "__main__":
    main()
