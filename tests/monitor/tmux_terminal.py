"""A real terminal for tests: a shell in tmux, with keys to press and a screen to read."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 15.0
SHELL: Final = "sh"
RESTORED: Final = "0 0 1"
"""No alternate screen, no mouse tracking, and a cursor."""


class Terminal:
    """One pane of a tmux server of its own."""

    def __init__(self, socket: str, folder: Path) -> None:
        self._socket, self.folder = socket, folder

    def tmux(self, *arguments: str) -> str:
        """Run one tmux command and return what it prints."""
        run = subprocess.run(
            ["tmux", "-f", "/dev/null", "-L", self._socket, *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_S,
        )
        return run.stdout

    def start(self, columns: int, rows: int) -> None:
        """Open a shell and wait until it listens."""
        size = ("-x", str(columns), "-y", str(rows))
        plain = ("env", "PS1=$ ", "TERM=tmux-256color", SHELL)
        self.tmux("new-session", "-d", *size, "-c", str(self.folder), shlex.join(plain))
        self.type("stty -g > before; echo 'rea''dy'")
        self.until(lambda text: "ready" in text, "a shell")

    def type(self, line: str) -> None:
        """Type a line and press enter."""
        self.tmux("send-keys", "-l", line)
        self.tmux("send-keys", "Enter")

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names."""
        self.tmux("send-keys", *keys)

    def text(self) -> str:
        """Return what the screen shows."""
        return self.tmux("capture-pane", "-p")

    def until(self, shown: Callable[[str], bool], what: str) -> str:
        """Wait until the screen shows something, and return it."""
        until_s = time.monotonic() + PATIENCE_S
        while not shown(text := self.text()):
            assert time.monotonic() < until_s, f"the screen never showed {what}:\n{text}"
            time.sleep(0.05)
        return text

    def run(self, *command: str) -> None:
        """Start a command; when it ends, the shell says `ended with` and its exit code."""
        self.type(f"{shlex.join(command)}; echo 'ended'' with' $?; stty -g > after")

    def ended(self) -> str:
        """Wait for the end of the command and return the screen."""
        self.until(lambda text: "ended with" in text, "the end of the command")
        self.type("echo 'al''ive'")
        return self.until(lambda text: "alive" in text, "the shell again")

    def restored(self) -> bool:
        """Return whether the terminal is as it was before the command."""
        flags = self.tmux("display", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}")
        before, after = (self.folder / "before").read_text(), (self.folder / "after").read_text()
        return before == after and flags.strip() == RESTORED


@contextmanager
def terminal(folder: Path, columns: int = 120, rows: int = 40) -> Iterator[Terminal]:
    """Open a terminal; everything in it ends with it."""
    socket = f"callagent-{os.getpid()}-{time.monotonic_ns()}"
    opened = Terminal(socket, folder)
    try:
        opened.start(columns, rows)
        yield opened
    finally:
        subprocess.run(["tmux", "-L", socket, "kill-server"], capture_output=True, check=False)


def program(*arguments: str, script: Sequence[str] = ("-m", "callagent_cli")) -> list[str]:
    """Return callagent as a command line."""
    return [sys.executable, *script, *arguments]
