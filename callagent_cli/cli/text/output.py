"""The only writer to standard output: data, the same bytes in a pipe as on a terminal."""

import errno
import io
import os
import sys
from typing import Any, TextIO

from callagent_cli.cli.text.color import painted, wants_color


def printable(text: str) -> str:
    """Return the text with control characters escaped, so that no foreign text steers a terminal.

    Line ends and tabs stay.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in "\n\t"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


class Output:
    """Writes lines and JSON documents to one stream, and outlives its reader.

    A reader that goes away (`| head`) ends the writing and nothing else: `reader_gone` turns true
    and the command goes on. Any other failure, such as a full disk, is kept in `failure` for
    `main` to report.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._in_color = wants_color(stream, os.environ)
        self.reader_gone = False
        self.failure: OSError | None = None

    @property
    def terminal(self) -> bool:
        """Whether a person sees what is written."""
        return self._stream is not None and self._stream.isatty()

    @property
    def ascii_only(self) -> bool:
        """Whether the stream's encoding has no marks beyond ASCII."""
        return "utf" not in (getattr(self._stream, "encoding", "") or "").lower()

    def line(self, text: str = "") -> None:
        """Write one line, or several when the text holds line ends; control characters escaped.

        Where colors are wanted, callagent's own marks have theirs.
        """
        text = printable(text)
        self._write((painted(text) if self._in_color else text) + "\n")

    def exact(self, text: str) -> None:
        """Write one line that a program reads, whatever colors are wanted."""
        self._write(printable(text) + "\n")

    def prose(self, text: str, *, indent: int = 2) -> None:
        """Write a sentence: one line in a pipe, on a terminal as many as whole words need.

        What does not fit into a terminal's line stands under it, `indent` further in.
        """
        if not self.terminal:
            self.line(text)
            return
        import shutil
        from textwrap import wrap

        width = shutil.get_terminal_size().columns
        room = " " * min(indent, width // 2)
        own = text[: len(text) - len(text.lstrip())]
        for line in wrap(text, width, subsequent_indent=own + room, break_on_hyphens=False):
            self.line(line)

    def control(self, sequence: str) -> None:
        """Write a terminal's control sequence; only for a stream that is one."""
        self._write(sequence)

    def raw(self, line: bytes) -> None:
        """Write one encoded line of JSON as it is, line end included, at once."""
        self._write(line.decode())
        self.flush()

    def document(self, value: Any) -> None:  # noqa: ANN401 — whatever msgspec can encode.
        """Write one JSON document on one line, at once: whoever follows waits for it."""
        import msgspec  # Most commands print no JSON.

        self._write(msgspec.json.encode(value).decode() + "\n")
        self.flush()

    def flush(self) -> None:
        """Hand everything written to the operating system."""
        self._attempt(None)

    def _write(self, text: str) -> None:
        self._attempt(text)

    def _attempt(self, text: str | None) -> None:
        if self._stream is None or self.reader_gone or self.failure is not None:
            return
        try:
            if text is None:
                self._stream.flush()
            else:
                self._stream.write(text)
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        # EINVAL is what Windows says for a pipe whose reader is gone.
        if error.errno in {errno.EPIPE, errno.EINVAL}:
            self.reader_gone = True
        else:
            self.failure = error
        if self._stream is sys.stdout:
            _discard_standard_output()


def _discard_standard_output() -> None:
    """Point standard output at the null device, so that the interpreter's last flush is silent."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def _take_any_text(stream: TextIO | None) -> None:
    """Make a stream take every character, whatever the locale says.

    Data is UTF-8; a terminal keeps its encoding and shows escapes for what that lacks.
    """
    if isinstance(stream, io.TextIOWrapper):
        encoding = stream.encoding if stream.isatty() else "utf-8"
        stream.reconfigure(encoding=encoding, errors="backslashreplace")


_standard: dict[TextIO | None, Output] = {}


def standard_output() -> Output:
    """Return the writer to this process's standard output; one for each `sys.stdout`."""
    stream = sys.stdout
    if stream not in _standard:
        _standard.clear()
        _take_any_text(stream)
        _standard[stream] = Output(stream)
    return _standard[stream]
