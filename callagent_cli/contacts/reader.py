"""The door of this room: a contacts file in, a stream of contacts out.

`phonenumbers` is imported by the first call, not by this module: it takes longer to load than
most commands run.
"""

from collections.abc import Iterator
from pathlib import Path

from callagent_cli.calls.model import Contact
from callagent_cli.contacts.files.source import file_sha256
from callagent_cli.contacts.options import ReadOptions
from callagent_cli.contacts.report import ImportReport

__all__ = ["file_sha256", "read_contacts"]


def read_contacts(path: Path, options: ReadOptions, *, report: ImportReport) -> Iterator[Contact]:
    """Yield the people to call, in the order of the file, each (number, extension) once.

    A text file is read twice: before the first contact comes out, its quoting is proven and all
    its do-not-call marks are known, so that a mark on a later line holds for earlier ones. The
    report is complete when the iterator is exhausted; rejected rows go to its sink as they come.

    Raises `ContactsError` for a problem of the whole file: of a text file at the first `next`,
    of a damaged workbook also later; discard what came out before it.
    """
    from callagent_cli.contacts.importing import Import  # noqa: PLC0415 — see the module.

    yield from Import(path, options, report).contacts()
