"""File sinks: bounded, rotated, private, and never in the way."""

import os
import stat
import threading
from pathlib import Path

import pytest

from callagent_cli.errors import LogError
from callagent_cli.reporting.sinks import FileSink


def test_lines_arrive_in_order_and_are_private(tmp_path: Path) -> None:
    """Everything written before `close` is in the file, which only its owner can read."""
    path = tmp_path / "logs" / "run.jsonl"
    sink = FileSink(path)
    for number in range(5000):
        sink.write(b"%d\n" % number)
    sink.close(5)

    assert path.read_bytes() == b"".join(b"%d\n" % number for number in range(5000))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sink.dropped == 0


def test_a_file_that_grew_is_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rotation keeps whole lines and numbers the parts from 2."""
    written, block, write = [0], threading.Event(), os.write

    def count(file: int, data: memoryview) -> int:
        written[0] += write(file, data)
        if written[0] % 110 == 0:
            block.set()
        return len(data)

    monkeypatch.setattr(os, "write", count)
    sink = FileSink(tmp_path / "run.jsonl", rotate_bytes=100)
    for _ in range(3):
        block.clear()
        for _ in range(10):
            sink.write(b"0123456789\n")
        assert block.wait(5)
    sink.close(5)

    parts = sorted(path.name for path in tmp_path.iterdir())
    assert parts == ["run.2.jsonl", "run.3.jsonl", "run.jsonl"]
    for part in parts:
        assert (tmp_path / part).read_bytes() == b"0123456789\n" * 10


def test_a_full_disk_is_counted_and_told(tmp_path: Path) -> None:
    """Lines that the disk refuses are lost, counted, and told at the 1st, the 10th, the 100th."""
    told: list[tuple[int, str]] = []
    sink = FileSink(Path("/dev/full"), on_dropped=lambda count, why: told.append((count, why)))
    for _ in range(250):
        sink.write(b"line\n")
    sink.close(5)

    assert sink.dropped == 250
    assert told[0][0] >= 1
    assert "No space left" in told[0][1]
    assert len(told) <= 3


@pytest.mark.parametrize("blocked", ["file", "folder"])
def test_an_unwritable_folder_is_an_error_with_a_hint(tmp_path: Path, blocked: str) -> None:
    """The start fails with two lines a person can act on."""
    (tmp_path / "logs").write_text("a file, not a folder")
    path = tmp_path / "logs" / "run.jsonl"
    if blocked == "folder":
        path = tmp_path / "folder"
        path.mkdir()

    with pytest.raises(LogError) as raised:
        FileSink(path)

    assert str(path) in raised.value.message
    assert raised.value.hint


def _disk_that_hangs(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Let nothing be written before the first event is set; the second says that it was tried."""
    released, reached = threading.Event(), threading.Event()
    write = os.write

    def hang(file: int, data: memoryview) -> int:
        reached.set()
        released.wait(10)
        return write(file, data)

    monkeypatch.setattr(os, "write", hang)
    return released, reached


def test_a_writer_that_hangs_delays_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk stands still, writing returns; what exceeds the queue is counted."""
    released, reached = _disk_that_hangs(monkeypatch)
    sink = FileSink(tmp_path / "run.jsonl", queue_lines_max=100)
    sink.write(b"first\n")
    assert reached.wait(5)
    for _ in range(150):
        sink.write(b"line\n")
    dropped = sink.dropped
    released.set()
    sink.close(5)

    assert dropped == 50
    assert (tmp_path / "run.jsonl").read_bytes() == b"first\n" + b"line\n" * 100


def test_closing_gives_up_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that never answers costs the end of a run no more than its timeout."""
    released, reached = _disk_that_hangs(monkeypatch)
    sink = FileSink(tmp_path / "run.jsonl")
    sink.write(b"first\n")
    assert reached.wait(5)
    sink.write(b"second\n")
    sink.close(0.01)

    assert sink.dropped == 1
    released.set()
    sink._thread.join(5)


def test_after_closing_nothing_is_taken(tmp_path: Path) -> None:
    """A late line counts as dropped; closing twice is no error."""
    sink = FileSink(tmp_path / "run.jsonl")
    sink.close(5)
    sink.close(5)
    sink.write(b"late\n")

    assert sink.dropped == 1


def test_a_torn_line_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a write that broke off in a line, the next begins on a line of its own."""
    write = os.write
    tearing = [True, True]

    def tear(file: int, data: memoryview) -> int:
        if not tearing:
            return write(file, data)
        if len(tearing) == 1:
            tearing.clear()
            raise OSError(28, "No space left on device")
        tearing.pop()
        return write(file, data[:3])

    monkeypatch.setattr(os, "write", tear)
    failed = threading.Event()
    sink = FileSink(tmp_path / "run.jsonl", on_dropped=lambda *_: failed.set())
    sink.write(b"torn line\n")
    assert failed.wait(5)
    sink.write(b"whole line\n")
    sink.close(5)

    assert (tmp_path / "run.jsonl").read_bytes() == b"tor\nwhole line\n"
    assert sink.dropped == 1
