"""What a file really is: its kind by content, its encoding, its hash, and its text."""

import codecs
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from callagent_cli.contacts.cells import show, visible
from callagent_cli.errors import ContactsError

_CHUNK: Final = 1 << 20
_CHUNKS_WITHOUT_LINE_END: Final = 8
_SAMPLE: Final = 4096
_SHOWN: Final = 40
_MAGIC: Final = (
    (b"\x1f\x8b", "a gzip archive", "unpack it first: gunzip"),
    (b"%PDF", "a PDF document", "export the contacts as CSV"),
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel workbook (.xls), or one with a password",
        "save it as .xlsx or as CSV UTF-8",
    ),
    (b"BZh", "a bzip2 archive", "unpack it first: bunzip2"),
    (b"7z\xbc\xaf", "a 7-Zip archive", "unpack it first"),
    (b"\xfd7zXZ", "an xz archive", "unpack it first: unxz"),
    (b"SQLite format 3\0", "an SQLite database", "export the contacts as CSV"),
    (b"PAR1", "a Parquet file", "export the contacts as CSV"),
    (b"\x89PNG", "a picture", "export the contacts as CSV"),
    (b"\xff\xd8\xff", "a picture", "export the contacts as CSV"),
    (b"GIF8", "a picture", "export the contacts as CSV"),
    (b"BEGIN:VCARD", "a vCard file", "export the contacts as CSV"),
    (b"<!DOCTYPE html", "a web page", "open it in a spreadsheet and save it as CSV UTF-8"),
    (b"<html", "a web page", "open it in a spreadsheet and save it as CSV UTF-8"),
    (b"<?xml", "an XML document", "open it in a spreadsheet and save it as CSV UTF-8"),
)
_WORKBOOK: Final = re.compile(r"xl[/\\]workbook\d*\.xml", re.IGNORECASE)
_SHEETS_OF_OTHERS: Final = {
    "xl/workbook.bin": "a binary Excel workbook (.xlsb)",
    "content.xml": "an OpenDocument spreadsheet or text",
    "Index/Document.iwa": "an Apple Numbers or Pages document",
}
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MARKS: Final = frozenset(mark for mark, _ in _BOMS)
_TEXT_PER_NUL: Final = 20
_SPACE: Final = 0x20
_TEXT_CONTROLS: Final = frozenset(b"\0\t\n\v\f\r\x1a\x1b")
"""Control bytes of texts: white space, the end of a file, escapes; NUL where one is damaged."""

_ENCODING_HINT: Final = "name the encoding with --encoding, or export as CSV UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A contacts file that can be read: a workbook, or text in a proven encoding.

    `note` is a warning to show when the encoding had to be assumed.
    """

    path: Path
    workbook: bool = False
    encoding: str = ""
    note: str = ""

    @property
    def label(self) -> str:
        """The file's name as messages show it."""
        return visible(str(self.path))

    def open(self) -> TextIO:
        """Open the text, line ends as they stand; raises `ContactsError` when it is gone."""
        try:
            return self.path.open(encoding=self.encoding, newline="")
        except OSError as error:
            raise _unreadable(self.label, error) from error

    def open_bytes(self) -> BinaryIO:
        """Open the bytes; raises `ContactsError` when the file is gone."""
        try:
            return self.path.open("rb")
        except OSError as error:
            raise _unreadable(self.label, error) from error


def file_sha256(path: Path) -> str:
    """Return the hash by which the same file is recognized again; raises `ContactsError`."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(visible(str(path)), error) from error


def identify(path: Path, encoding: str = "") -> Source:
    """Say what a file is and prove its encoding; raises `ContactsError` when it is no list."""
    label = visible(str(path))
    try:
        if path.is_dir():
            raise ContactsError(f"{label}: a directory, not a file", hint="name a file in it")
        if path.exists() and not path.is_file():
            raise ContactsError(f"{label}: not a regular file", hint="save it as a file first")
        with path.open("rb") as file:
            return _identify(path, file, encoding)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it.
        raise _unreadable(label, error) from error


def _unreadable(label: str, error: Exception) -> ContactsError:
    if isinstance(error, FileNotFoundError):
        return ContactsError(f"{label}: no such file", hint="check the path")
    reason = getattr(error, "strerror", None) or type(error).__name__
    return ContactsError(f"{label}: cannot be read: {reason}", hint="check its permissions")


def _identify(path: Path, file: BinaryIO, encoding: str) -> Source:
    label = visible(str(path))
    head = file.read(_SAMPLE)
    file.seek(0)
    if not head:
        raise ContactsError(f"{label}: the file is empty", hint="export the contacts again")
    if head.startswith(b"PK\x03\x04"):
        return _archive(path)
    for magic, kind, hint in _MAGIC:
        if head.startswith(magic):
            raise ContactsError(f"{label}: {kind}, not a list of contacts", hint=hint)
    if path.suffix.lower() in {".xlsx", ".xlsm"}:
        message = f"{label}: not an Excel workbook, whatever its name says"
        raise ContactsError(message, hint="if it is text, rename it to .csv")
    if encoding:
        return _forced(path, file, head, encoding)
    return _detected(path, file, head)


def _archive(path: Path) -> Source:
    label = visible(str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        message = f"{label}: a damaged zip archive or Excel workbook"
        raise ContactsError(message, hint="export the contacts again") from error
    for member, kind in _SHEETS_OF_OTHERS.items():
        if member in names:
            message = f"{label}: {kind}, not a list of contacts"
            raise ContactsError(message, hint="save it as .xlsx or as CSV UTF-8")
    if not any(_WORKBOOK.fullmatch(name) for name in names):
        message = f"{label}: a zip archive, not a list of contacts"
        raise ContactsError(message, hint="unpack it first")
    if path.suffix.lower() not in {".xlsx", ".xlsm"}:
        message = f"{label}: an Excel workbook (.xlsx), not a text file"
        raise ContactsError(message, hint="rename it to .xlsx, or save it as CSV UTF-8")
    return Source(path=path, workbook=True, encoding="xlsx")


def _forced(path: Path, file: BinaryIO, head: bytes, encoding: str) -> Source:
    label = visible(str(path))
    try:
        name = codecs.lookup(encoding).name
        codecs.getincrementaldecoder(name)
        io.TextIOWrapper(io.BytesIO(), encoding=name).close()
    except (LookupError, ValueError) as error:  # Unknown, or not of text, such as hex.
        message = f"{label}: unknown encoding `{visible(encoding)[:_SHOWN]}`"
        raise ContactsError(message, hint="such as utf-8, cp1252 or utf-16") from error
    marked = _certain_encoding(head) if head[:3] in _MARKS or head[:2] in _MARKS else ""
    if marked.startswith(name[:6]):
        name = marked  # The same encoding; this form of it drops the byte order mark.
    broken = _first_undecodable(file, name, label)
    if broken is not None:
        message = f"{label}: line {broken.line} is not {name}"
        raise ContactsError(message, hint="leave --encoding away, or name another one")
    return Source(path=path, encoding=name)


def _detected(path: Path, file: BinaryIO, head: bytes) -> Source:
    """Byte order mark, then strict UTF-8, then cp1252 with a warning: detectors guess worse."""
    label = visible(str(path))
    certain = _certain_encoding(head)
    if not certain and b"\0" in head and not _is_damaged_text(head):
        message = f"{label}: a binary file, not a list of contacts"
        raise ContactsError(message, hint="export the contacts as CSV UTF-8")
    broken = _first_undecodable(file, certain or "utf-8", label)
    if broken is None:
        return Source(path=path, encoding=certain or "utf-8")
    if certain:
        message = f"{label}: line {broken.line} is damaged: not {certain} as the file begins"
        raise ContactsError(message, hint=_ENCODING_HINT)
    if _first_undecodable(file, "cp1252", label) is not None:
        message = f"{label}: line {broken.line} is neither UTF-8 nor Windows-1252"
        raise ContactsError(message, hint=_ENCODING_HINT)
    note = (
        f"not UTF-8: read as Windows-1252 (cp1252), for example `{broken.excerpt}` "
        f"on line {broken.line}; if that looks wrong, pass --encoding"
    )
    return Source(path=path, encoding="cp1252", note=note)


def _certain_encoding(head: bytes) -> str:
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    pairs = len(head) // 2
    if head[1::2].count(0) * 2 > pairs and head[::2].count(0) == 0:
        return "utf-16-le"
    if head[::2].count(0) * 2 > pairs and head[1::2].count(0) == 0:
        return "utf-16-be"
    return ""


def _is_damaged_text(head: bytes) -> bool:
    """Say whether NUL bytes are a few lost characters of a text; other control bytes are none.

    Every second byte of UTF-16 is NUL wherever it says something in ASCII, as a list of phone
    numbers does. A file whose end was never written to the disk ends in NUL bytes alone.
    """
    written = head.rstrip(b"\0")
    few = written.count(0) * _TEXT_PER_NUL <= len(written)
    return few and not any(byte < _SPACE and byte not in _TEXT_CONTROLS for byte in head)


@dataclass(frozen=True, slots=True)
class _Broken:
    """Where a file first is not what it should be, and the word around it read as cp1252."""

    line: int
    excerpt: str


def _first_undecodable(file: BinaryIO, encoding: str, label: str) -> _Broken | None:
    """Read the whole file in pieces; raises `ContactsError` when it has no line ends."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    file.seek(0)
    line = 1
    without_line_end = 0
    last = b""
    while chunk := file.read(_CHUNK):
        try:
            decoder.decode(chunk)
        except UnicodeError as error:
            start = min(getattr(error, "start", 0), len(chunk) - 1)
            return _Broken(line + _line_ends(chunk[:start]), _word(chunk, start))
        line += _line_ends(chunk)
        last = chunk
        ends = b"\n" in chunk or b"\r" in chunk
        without_line_end = 0 if ends else without_line_end + 1
        if without_line_end >= _CHUNKS_WITHOUT_LINE_END:
            message = f"{label}: line {line} has more than 8 million bytes"
            raise ContactsError(message, hint="export the contacts as CSV, one on each line")
    try:
        decoder.decode(b"", final=True)
    except UnicodeError:
        return _Broken(line, _word(last, len(last) - 1))
    return None


def _line_ends(chunk: bytes) -> int:
    return chunk.count(b"\n") or chunk.count(b"\r")


def _word(chunk: bytes, start: int) -> str:
    excerpt = chunk[max(0, start - 20) : start + 20].decode("cp1252", errors="replace")
    middle = min(start, 20)
    before = "".join(takewhile(str.isalpha, reversed(excerpt[:middle])))
    # The character itself may be none of a word: a quotation mark, or a euro sign.
    after = "".join(takewhile(str.isalpha, excerpt[middle + 1 :]))
    return show(before[::-1] + excerpt[middle] + after)
