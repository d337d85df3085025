"""`callagent` and `python -m callagent_cli`."""

try:
    from callagent_cli.cli.app import main
except KeyboardInterrupt:  # Ctrl-C in the first tenths of a second, while modules are read.
    raise SystemExit(130) from None

__all__ = ["main"]

if __name__ == "__main__":
    main()
