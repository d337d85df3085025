"""The contacts file of a command line: a path, or `-` for what comes from standard input."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from callagent_cli.errors import ContactsError, UsageError

STDIN: Final = Path("-")
STDIN_CAMPAIGN: Final = "stdin"
STDIN_SHOWN: Final = "standard input"


def campaign_name(contacts: Path, name: str) -> str:
    """Return the campaign's name, which is also part of a file's name; raises `UsageError`."""
    campaign = name or (STDIN_CAMPAIGN if contacts == STDIN else contacts.stem or "contacts")
    if not campaign.strip() or "/" in campaign or "\0" in campaign or campaign in {".", ".."}:
        raise UsageError(
            f"`{campaign}` is no name for a campaign", hint="give one with `--campaign NAME`"
        )
    if any(map(_is_no_text, f"{campaign}{contacts}")):
        raise UsageError(
            f"`{contacts}`, campaign `{campaign}`: a name that is no text",
            hint="rename the file or the campaign: no line ends, no bytes that are not UTF-8",
        )
    return campaign


def _is_no_text(character: str) -> bool:
    """Tell control characters, and bytes that the system could not read as text."""
    return character < " " or "\ud800" <= character <= "\udfff"


@contextmanager
def contacts_input(contacts: Path) -> Iterator[Path]:
    """Yield the file to read; standard input is kept in a private file for as long as needed.

    Raises `ContactsError` when standard input is a terminal, where nothing would come.
    """
    if contacts != STDIN:
        yield contacts
        return
    if sys.stdin is None or sys.stdin.isatty():
        raise ContactsError(
            "no contacts on standard input", hint="pipe a file into it, or name one"
        )
    with tempfile.TemporaryDirectory(prefix="callagent-") as folder:
        path = Path(folder) / "stdin.csv"
        try:
            with path.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
        except OSError as error:
            message = f"standard input cannot be kept: {error.strerror or error}"
            raise ContactsError(message, hint="name a file instead") from error
        try:
            yield path
        except ContactsError as error:
            message = error.message.replace(str(path), STDIN_SHOWN)
            raise ContactsError(message, hint=error.hint) from error
