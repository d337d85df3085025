"""Work that is shared out over processes, and what ends it early."""

import signal
from concurrent.futures.process import _ExecutorManagerThread

import pytest

from callagent_cli.simulation.sweep.processes import fan_out


def test_ctrl_c_while_the_processes_begin_is_a_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits until the pool can be shut down, and nothing else is raised in its place."""
    start = _ExecutorManagerThread.start
    before = signal.getsignal(signal.SIGINT)

    def start_late(thread: _ExecutorManagerThread) -> None:
        signal.raise_signal(signal.SIGINT)
        start(thread)

    monkeypatch.setattr(_ExecutorManagerThread, "start", start_late)

    with pytest.raises(KeyboardInterrupt):
        list(fan_out(abs, [-1, -2], cores=2))

    assert signal.getsignal(signal.SIGINT) is before


def test_what_is_shared_out_comes_back() -> None:
    """Each job has its result, in whatever order."""
    assert sorted(fan_out(abs, [-1, -2, -3], cores=2)) == [1, 2, 3]
