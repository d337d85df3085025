"""The door of this room: a contacts file in, a stream of contacts out.

`phonenumbers` is imported by the first call, not by this module: it takes longer to load than
most commands run.
"""

from collections.abc import Iterator
from pathlib import Path

from callagent_cli.contacts.files.source import file_sha256
from callagent_cli.contacts.options import Person, ReadOptions
from callagent_cli.contacts.report import ImportReport

__all__ = ["file_sha256", "read_people"]


def read_people(path: Path, options: ReadOptions, *, report: ImportReport) -> Iterator[Person]:
    """Yield the people of a file, those who must not be called among them, each once.

    Whoever is left out is known by a number; a row without one is in the report only. A text file
    is read twice: before the first person comes out, its quoting is proven and all its do-not-call
    marks are known, so that a mark on a later line holds for earlier ones. The report is complete
    when the iterator is exhausted; rejected rows go to its sink as they come.

    Raises `ContactsError` for a problem of the whole file: of a text file at the first `next`,
    of a damaged workbook also later; discard what came out before it.
    """
    from callagent_cli.contacts.importing import Import  # noqa: PLC0415 — see the module.

    yield from Import(path, options, report).people()
