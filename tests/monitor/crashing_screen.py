"""callagent with a screen that breaks after a few paints; run as a program by the tests."""

from callagent_cli.cli.app import main
from callagent_cli.monitor.painting import PanelPainter

PAINTS = 2


class _Planted:
    """Stands for the painting of the panels, and fails in the middle of a run."""

    def __init__(self) -> None:
        self._left = PAINTS

    def __call__(self, *_arguments: object) -> None:
        """Do nothing a few times, then fail with a number and a key in the message."""
        self._left -= 1
        if self._left < 0:
            raise RuntimeError("planted: +12125550142 with sk_planted_0123456789")


if __name__ == "__main__":
    setattr(PanelPainter, "paint", _Planted())  # noqa: B010 — mypy knows that it is a method.
    main()
