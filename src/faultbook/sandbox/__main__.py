"""`python -m faultbook.sandbox` starts the local workspace."""

from faultbook.sandbox.main import main

if __name__ == "__main__":
    main()
