"""SIGTERM and a closed terminal end a command as Ctrl-C does, so that nothing stays behind."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_NUMBERS: Final = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def like_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does at the moment; yields whether one of them came.

    A signal that the process was started to ignore, as `nohup` asks, stays ignored.
    """
    heard: list[int] = []

    def heed(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        ctrl_c = signal.getsignal(signal.SIGINT)
        # A shell's background jobs ignore Ctrl-C; whoever sends them SIGTERM means them.
        if not callable(ctrl_c):
            raise KeyboardInterrupt
        ctrl_c(signal.SIGINT, frame)

    heeded = [number for number in _NUMBERS if signal.getsignal(number) is signal.SIG_DFL]
    for number in heeded:
        signal.signal(number, heed)
    try:
        yield lambda: bool(heard)
    finally:
        for number in heeded:
            signal.signal(number, signal.SIG_DFL)
