"""Text files as spreadsheets and exporters write them: encodings, dialects, quoting."""

from pathlib import Path

import pytest
from contact_files import ANN, BOB, EVE, read, read_path

from callagent_cli.contacts.reader import file_sha256
from callagent_cli.errors import ContactsError

PEOPLE = f"Name,Phone\nHélène Müller,{ANN}\n"


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
    ],
)
def test_an_encoding_is_found_by_mark_then_utf8_then_cp1252(encoding: str, named: str) -> None:
    """Names come out as they were written, whatever the encoding."""
    result = read(PEOPLE.encode(encoding))

    assert [contact.name for contact in result.contacts] == ["Hélène Müller"]
    assert result.report.encoding == named


def test_cp1252_is_assumed_with_a_warning_that_shows_a_word() -> None:
    """A person can see from the example whether the assumption is right."""
    [note] = read(PEOPLE.encode("cp1252")).report.notes

    assert "cp1252" in note
    assert "`Hélène` on line 2" in note
    assert "--encoding" in note


@pytest.mark.parametrize(
    ("text", "example"),
    [
        (f"Name,Phone,Price\nAnn,{ANN},5 €\n", "`€` on line 2"),
        (f"Name,Phone\n“Ann”,{ANN}\n", "`“Ann` on line 2"),
        (f"Phone,Name\n{ANN},Zoé", "`Zoé` on line 2"),
    ],
)
def test_the_example_of_cp1252_is_never_empty(text: str, example: str) -> None:
    """A sign that is no letter, and a letter that ends the file, are shown as well."""
    [note] = read(text.encode("cp1252")).report.notes

    assert example in note


def test_utf8_has_no_warning() -> None:
    """What is certain is not doubted."""
    assert read(PEOPLE).report.notes == []


def test_a_forced_encoding_is_used_without_a_warning() -> None:
    """`--encoding cp1250` reads what cp1252 would misread."""
    result = read(f"Name,Phone\nDvořák,{ANN}\n".encode("cp1250"), encoding="cp1250")

    assert result.contacts[0].name == "Dvořák"
    assert result.report.notes == []


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_a_forced_encoding_still_drops_the_mark(mark: str) -> None:
    """A byte order mark never becomes part of the first heading."""
    forced = "utf-8" if mark == "utf-8-sig" else "utf-16-le"
    result = read(f"Phone\n{ANN}\n".encode(mark), encoding=forced)

    assert result.report.columns == ("Phone",)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_delimiter_is_found(delimiter: str) -> None:
    """The one that splits the header and the rows alike."""
    rows = [["Name", "Phone", "Notes"], ["Ann", ANN, "a b"], ["Bob", BOB, "likes | ; things"]]
    text = "\n".join(delimiter.join(row) for row in rows[:2])
    result = read(text)

    assert result.report.delimiter == delimiter
    assert result.contacts[0].variables == {"notes": "a b"}


def test_a_delimiter_inside_quotes_or_names_is_not_taken() -> None:
    """Semicolons decide although the header has a comma in a name."""
    result = read(f'Name;Phone;"City, country"\n"Lee, Ann";{ANN};"Bonn, DE"\n')

    assert result.contacts[0].name == "Lee, Ann"
    assert result.contacts[0].variables == {"city_country": "Bonn, DE"}


def test_a_sep_line_decides_the_delimiter() -> None:
    """Excel's `sep=` line is obeyed and not taken for the header."""
    [ann] = read(f"sep=;\r\nName;Phone\r\nLee, Ann;{ANN}\r\n").contacts

    assert (ann.line, ann.name) == (3, "Lee, Ann")


def test_a_sep_line_that_contradicts_the_file_is_named() -> None:
    """The message says what stands where, not that there is no phone column."""
    with pytest.raises(ContactsError) as error:
        read(f"sep=,\r\nName;Phone\r\nAnn;{ANN}\r\n")

    assert "says `sep=,`, but the column names are divided by `;`" in error.value.message
    assert "first line" in error.value.hint


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_read(end: str) -> None:
    """Also the carriage returns of old Macintosh files."""
    result = read(end.join(["Name,Phone", f"Ann,{ANN}", f"Bob,{BOB}", ""]))

    assert [contact.line for contact in result.contacts] == [2, 3]


def test_a_quoted_line_break_stays_within_its_cell() -> None:
    """Rows are named by the line they begin on."""
    result = read(f'Notes,Phone\n"one\r\ntwo",{ANN}\nx,{BOB}\n')

    assert [contact.line for contact in result.contacts] == [2, 4]
    assert result.contacts[0].variables == {"notes": "one two"}


def test_blank_lines_before_the_header_are_skipped() -> None:
    """They are no rows and no header."""
    result = read(f"\n,\nName,Phone\nAnn,{ANN}\n")

    assert result.contacts[0].line == 4
    assert result.report.rows == 1


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (f'"Ann,{ANN}\nx,y\nz,w\n', 2),
        (f'Ann,{ANN}\n"Bob,{BOB}\n', 3),
        (f'Ann,{ANN}\n"Bob\nRay","{BOB}\nx,y\n', 4),
        (f'Ann,{ANN}\n"Bob ""B""\nRay",{BOB}\nEve,"{EVE}', 5),
    ],
)
def test_an_unclosed_quote_imports_nothing_and_names_its_line(body: str, line: int) -> None:
    """Not one contact comes out before the error, and the line is where the quote stands."""
    with pytest.raises(ContactsError) as error:
        read(f"Name,Phone\n{body}")

    assert f"the quote opened on line {line} is never closed" in error.value.message
    assert "nothing was imported" in error.value.hint


def test_a_stray_quote_costs_its_row_only() -> None:
    """When it is certain where the row ends, the others are read."""
    result = read(f'Name,Phone\n"Bob "B" Ray",{BOB}\nAnn,{ANN}\n')

    assert result.numbers == [ANN]
    assert [(r.line, r.code) for r in result.rejects] == [(2, "quotes")]


def test_a_stray_quote_that_hides_where_rows_end_stops_the_import() -> None:
    """Rows that may have been swallowed are not guessed at."""
    with pytest.raises(ContactsError) as error:
        read(f'Name,Phone\n"Bob,{BOB}\nAnn,{ANN}\nEve "x",{EVE}\n')

    assert "opened on line 2" in error.value.message


def test_a_huge_cell_loses_its_row_only() -> None:
    """A 200 KB note is refused with its code; its neighbors are called."""
    result = read(f"Phone,Notes\n{ANN},{'x' * 200_000}\n{BOB},short\n")

    assert result.numbers == [BOB]
    assert [(r.line, r.code) for r in result.rejects] == [(2, "cell_too_large")]


def test_a_row_with_too_many_cells_is_refused() -> None:
    """An unquoted delimiter has shifted its cells, so none can be trusted."""
    result = read(f"Name,Phone\nLee, Ann,{ANN}\nBob,{BOB},\n")

    assert result.numbers == [BOB]
    assert [(r.code, r.row) for r in result.rejects] == [("columns", ("Lee", "Ann", ANN))]


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"\n\n,,\n", "the file is empty"),
        (b"Name,Phone\n", "a header and nothing below it"),
        (b"Name,Phone\n,\n\n", "a header and nothing below it"),
        (b"\x1f\x8b\x08\x00rest", "a gzip archive"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook"),
        (b"PK\x03\x04broken", "a damaged zip archive"),
        (b"\x7fELF\0\0\x01", "a binary file"),
        (b"Name,Phone\n\x81\x8d,1\n", "line 2 is neither UTF-8 nor Windows-1252"),
        ("Name,Phone\nx".encode("utf-16") + b"\x00", "is damaged: not utf-16"),
    ],
)
def test_a_file_that_is_no_list_says_what_it_is(data: bytes, part: str) -> None:
    """The message begins with the file and says what was found; the hint says what to do."""
    with pytest.raises(ContactsError) as error:
        read(data)

    file, told, reason = error.value.message.partition("contacts.csv")
    assert (file[:1], told) == ("/", "contacts.csv")
    assert part in reason
    assert error.value.hint


@pytest.mark.parametrize(
    ("encoding", "part"),
    [("ascii", "line 2 is not ascii"), ("klingon", "unknown encoding"), ("hex", "unknown")],
)
def test_a_forced_encoding_that_does_not_fit_stops_the_import(encoding: str, part: str) -> None:
    """No character is ever replaced silently."""
    with pytest.raises(ContactsError) as error:
        read(PEOPLE, encoding=encoding)

    assert part in error.value.message


def test_a_missing_file_and_a_directory_are_named(tmp_path: Path) -> None:
    """Neither is taken for an empty list."""
    with pytest.raises(ContactsError, match="no such file"):
        read_path(tmp_path / "contacts.csv")
    with pytest.raises(ContactsError, match="a directory"):
        read_path(tmp_path)
    with pytest.raises(ContactsError, match="cannot be read"):
        read_path(tmp_path / "a\0b")
    with pytest.raises(ContactsError, match="no such file"):
        file_sha256(tmp_path / "contacts.csv")


def test_an_endless_line_is_refused(tmp_path: Path) -> None:
    """A file without line ends would not fit into memory."""
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"x" * (9 << 20))

    with pytest.raises(ContactsError, match="8 million bytes"):
        read_path(path)


def test_the_same_content_has_the_same_hash(tmp_path: Path) -> None:
    """The name does not matter, a single byte does."""
    first, second, third = (tmp_path / name for name in ("a.csv", "b.csv", "c.csv"))
    first.write_text(PEOPLE, encoding="utf-8")
    second.write_text(PEOPLE, encoding="utf-8")
    third.write_text(PEOPLE + "\n", encoding="utf-8")

    assert file_sha256(first) == file_sha256(second) != file_sha256(third)
