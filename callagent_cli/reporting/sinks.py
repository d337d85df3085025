"""Where lines go: memory in a simulation, a file behind a thread otherwise; nothing ever waits."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final, Protocol

from callagent_cli.errors import LogError

QUEUE_LINES_MAX: Final = 100_000
"""Lines that may wait for the disk; what does not fit is counted as dropped."""

ROTATE_BYTES: Final = 50_000_000
_BATCH_LINES: Final = 2_000
_GATHER_S: Final = 0.02
"""The writer lets this much time pass between two batches, so that it wakes 50 times a second."""

Dropped = Callable[[int, str], None]
"""Hears how many lines were lost so far and why; called on any thread."""


class Sink(Protocol):
    """Takes lines, each ending in a line feed, and never waits."""

    dropped: int

    def write(self, line: bytes) -> None:
        """Take one line."""

    def close(self, timeout_s: float) -> None:
        """Write what waits, for at most `timeout_s`, and release the file."""


class MemorySink:
    """Keeps the lines, and a SHA-256 over them by which two runs are compared.

    `keep` false keeps the hash and the count only.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self._hash = sha256()
        self._hashed = 0
        self._keep = keep
        self.lines: list[bytes] = []
        self.written = 0
        self.dropped = 0

    def write(self, line: bytes) -> None:
        """Take one line."""
        self.written += 1
        if self._keep:
            self.lines.append(line)
        else:
            self._hash.update(line)

    def close(self, timeout_s: float) -> None:
        """Nothing waits in memory."""

    @property
    def sha256(self) -> str:
        """The hash over all lines so far, in hex."""
        for line in self.lines[self._hashed :]:
            self._hash.update(line)
        self._hashed = len(self.lines)
        return self._hash.hexdigest()


class FileSink:
    """Appends lines to a file, from a bounded queue by a daemon thread, in batches.

    A full queue or a failing disk loses lines: `dropped` counts them, and `on_dropped` hears of
    the 1st, 10th, 100th … Files are readable by their owner only. A file that has grown to
    `rotate_bytes` is followed by `NAME.2.jsonl`, `NAME.3.jsonl` … Raises `LogError` when the first
    file cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        *,
        on_dropped: Dropped | None = None,
        rotate_bytes: int | None = None,
        queue_lines_max: int = QUEUE_LINES_MAX,
        header: bytes = b"",
    ) -> None:
        self.path = path
        self.dropped = 0
        self._on_dropped = on_dropped
        self._told_at = 1
        self._rotate_bytes = rotate_bytes
        self._lines_max = queue_lines_max
        self._header = header
        self._part = 1
        self._size = 0
        self._torn = False
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        self._counting = threading.Lock()
        self._closing = threading.Event()
        self._file = self._open_first()
        self._thread = threading.Thread(target=self._work, name=f"sink {path.name}", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Take one line; a full queue drops it."""
        if self._closing.is_set():
            self._lose(1, "the sink is closed")
        elif self._queue.qsize() >= self._lines_max:
            self._lose(1, f"{self._lines_max} lines wait for the disk")
        else:
            self._queue.put(line)

    def close(self, timeout_s: float) -> None:
        """Write what waits, for at most `timeout_s`; what is left then counts as dropped."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._queue.put(None)
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._lose(max(0, self._queue.qsize() - 1), "closed before everything was written")

    def _open_first(self) -> int:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return self._open(self.path)
        except OSError as error:
            message = f"cannot write `{self.path}`: {error.strerror or error}"
            hint = f"make `{self.path.parent}` a folder that you may write to"
            raise LogError(message, hint=hint) from error

    def _open(self, path: Path) -> int:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._size = os.fstat(file).st_size
        if self._size == 0 and self._header:
            self._queue.put(self._header)
        return file

    # What follows runs on the writer's thread.

    def _work(self) -> None:
        try:
            while self._write_batch():
                self._closing.wait(_GATHER_S)
        finally:
            os.close(self._file)

    def _write_batch(self) -> bool:
        """Write what waits; return whether there may be more."""
        lines: list[bytes] = []
        last = False
        line = self._queue.get()
        while True:
            if line is None:
                last = True
            else:
                lines.append(line)
            if len(lines) == _BATCH_LINES:
                self._write(lines)
                lines = []
            try:
                line = self._queue.get_nowait()
            except Empty:
                break
        self._write(lines)
        return not last

    def _write(self, lines: list[bytes]) -> None:
        """Write whole lines; after a torn one the next begins on a line of its own."""
        if not lines:
            return
        data = memoryview((b"\n" if self._torn else b"") + b"".join(lines))
        try:
            self._rotate_if_due()
            while data:
                written = os.write(self._file, data)
                self._size += written
                self._torn = data[written - 1] != ord("\n")
                data = data[written:]
        except OSError as error:
            lost = bytes(data).strip(b"\n").count(b"\n") + 1
            self._lose(min(lost, len(lines)), error.strerror or str(error))

    def _rotate_if_due(self) -> None:
        if self._rotate_bytes is None or self._size < self._rotate_bytes:
            return
        part = self._part + 1
        following = self._open(self.path.with_name(f"{self.path.stem}.{part}{self.path.suffix}"))
        os.close(self._file)
        self._file, self._part, self._torn = following, part, False

    def _lose(self, lines: int, why: str) -> None:
        if lines == 0:
            return
        with self._counting:
            self.dropped += lines
            total = self.dropped
            tell = total >= self._told_at
            while total >= self._told_at:
                self._told_at *= 10
        if tell and self._on_dropped is not None:
            # The hearer may hand over to a loop that has ended: then nobody is left to tell.
            with suppress(RuntimeError):
                self._on_dropped(total, why)
