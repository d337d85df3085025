"""Contacts files for tests: written, read, and everything that came of it."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callagent_cli.calls.model import Contact
from callagent_cli.contacts.options import Forbidden, LeftOut, ReadOptions, Reject
from callagent_cli.contacts.reader import read_people
from callagent_cli.contacts.report import ImportReport
from callagent_cli.errors import ContactsError

ANN = "+12125550100"
BOB = "+12125550101"
EVE = "+442079460000"
SANDBOX = {"allow_fiction": True}


@dataclass
class Result:
    """What an import gave: contacts, rejected rows, do-not-call marks and the report."""

    contacts: list[Contact] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    marks: list[Forbidden] = field(default_factory=list)
    report: ImportReport = field(default_factory=ImportReport)

    @property
    def numbers(self) -> list[str]:
        """The numbers to call, in order."""
        return [contact.number for contact in self.contacts]


def read_path(path: Path, **options: Any) -> Result:  # noqa: ANN401 — the fields of ReadOptions.
    """Read a file as the sandbox does, unless told otherwise."""
    result = Result()
    result.report.rejects = result.rejects.append
    result.report.forbidden = result.marks.append
    wanted = ReadOptions(**{**SANDBOX, **options})
    for person in read_people(path, wanted, report=result.report):
        if not isinstance(person, LeftOut):
            result.contacts.append(person)
    return result


def read(
    content: str | bytes,
    *,
    name: str = "contacts.csv",
    **options: Any,  # noqa: ANN401 — the fields of ReadOptions.
) -> Result:
    """Write a file, text in UTF-8, and read it."""
    data = content.encode() if isinstance(content, str) else content
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return read_path(path, **options)


def attempt(
    data: bytes,
    *,
    name: str,
    encoding: str = "",
) -> Result | ContactsError:
    """Read a file and return what came out, or the one error that may be raised."""
    try:
        return read(data, name=name, encoding=encoding)
    except ContactsError as error:
        return error
