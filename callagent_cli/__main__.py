"""`callagent` and `python -m callagent_cli`."""

from callagent_cli.cli.app import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
