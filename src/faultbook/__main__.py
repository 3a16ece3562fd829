"""`python -m faultbook` is the command line."""

from faultbook.cli.main import main

if __name__ == "__main__":
    main()
