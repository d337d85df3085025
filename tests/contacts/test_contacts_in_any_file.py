"""Properties of the whole import: the same people from any file, sums, and no other error."""

import csv
import io
from collections.abc import Callable, Sequence

from contact_files import ANN, attempt, read
from hypothesis import given, settings
from hypothesis import strategies as st

from callagent_cli.errors import ContactsError

TEXT = st.text(
    st.characters(codec="cp1252", categories=("L", "N", "P", "S", "Zs"), exclude_characters="=|"),
    max_size=12,
).map(lambda text: " ".join(text.replace("\xa0", " ").replace("@", "").lstrip("+-").split()))
UNITED_KINGDOM = st.integers(0, 999).map(lambda last: f"+44207946{last:04}")
NUMBERS = st.one_of(
    UNITED_KINGDOM,
    st.builds("+1{}55501{:02}".format, st.sampled_from([212, 213, 415]), st.integers(0, 99)),
    st.integers(0, 999).map(lambda last: f"+493023125{last:03}"),
    st.integers(0, 9999).map(lambda last: f"+3363998{last:04}"),
    st.integers(0, 99).map(lambda last: f"+46313900{600 + last}"),
    st.integers(0, 9999).map(lambda last: f"+6125550{last:04}"),
)
"""Numbers reserved for fiction, of six countries."""

FORMS = st.sampled_from([str, lambda number: f"tel:{number}", lambda number: f'="{number}"'])
PEOPLE = st.lists(
    st.tuples(TEXT, NUMBERS, TEXT, st.booleans()), min_size=1, max_size=12, unique_by=lambda p: p[1]
)


def is_utf8(data: bytes) -> bool:
    """Say whether bytes are UTF-8, whatever they were written as."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def written(
    people: Sequence[tuple[str, str, str, bool]],
    *,
    delimiter: str,
    quoting: int,
    end: str,
    named: bool = False,
) -> str:
    """Return the people as a file; notes of some have a line break, which quoting must keep.

    `named` puts a `sep=` line first.
    """
    file = io.StringIO(newline="")
    file.write(f"sep={delimiter}{end}" if named else "")
    out = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    out.writerow(["Full name", "Phone", "Notes"])
    for name, number, note, broken in people:
        out.writerow([name, number, f"{note}{end}x" if broken else note])
    return file.getvalue()


@settings(max_examples=300)
@given(
    PEOPLE,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_the_same_people_come_out_of_every_kind_of_file(
    people: list[tuple[str, str, str, bool]],
    delimiter: str,
    encoding: str,
    quoting: int,
    end: str,
    named: bool,
) -> None:
    """Delimiter, encoding, quoting and line ends are how a file is written, not what it says."""
    text = written(people, delimiter=delimiter, quoting=quoting, end=end, named=named)
    data = text.encode(encoding)
    result = read(data, encoding="cp1252" if is_utf8(data) and encoding == "cp1252" else "")

    expected = [
        (name, number, f"{note} x".strip() if broken else note)
        for name, number, note, broken in people
    ]
    assert [(c.name, c.number, c.variables["notes"]) for c in result.contacts] == expected
    assert result.report.warnings.total() == result.report.warnings["hidden"]
    found = not is_utf8(data) and encoding == "cp1252"
    assert any("cp1252" in note for note in result.report.notes) is found


@given(
    st.lists(st.tuples(NUMBERS, FORMS), min_size=1, max_size=12, unique_by=lambda row: row[0]),
    st.sampled_from(["Phone", "Telefon (geschäftlich)", "N° de téléphone", ""]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_the_same_people_come_out_of_a_file_of_one_column(
    rows: list[tuple[str, Callable[[str], str]]],
    heading: str,
    encoding: str,
    quoting: int,
    end: str,
) -> None:
    """There is no delimiter to find, and a bare list of numbers has no heading either."""
    file = io.StringIO(newline="")
    out = csv.writer(file, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    if heading:
        out.writerow([heading])
    out.writerows([[form(number)] for number, form in rows])
    result = read(file.getvalue().encode(encoding))

    assert result.numbers == [number for number, _ in rows]
    assert result.report.delimiter == ""
    assert result.report.phone_columns == ((heading or "phone"),)


CELLS = st.one_of(
    NUMBERS,
    st.sampled_from(["", " ", "112", "n/a", "yes", "no", "Europe/Berlin", "Mars", '="x"', "4E+11"]),
    st.text(st.characters(exclude_characters="\0"), max_size=8),
)


@settings(max_examples=300)
@given(
    st.lists(st.lists(CELLS, max_size=6), max_size=15),
    st.sampled_from(["", "US", "DE"]),
    st.booleans(),
)
def test_the_sums_always_add_up(rows: list[list[str]], region: str, live: bool) -> None:
    """Every row below the header is counted exactly once, and every reject handed out."""
    file = io.StringIO(newline="")
    out = csv.writer(file, lineterminator="\n")
    out.writerow(["Name", "Phone", "DNC", "Time Zone", "Ext"])
    out.writerow(["Ann", ANN, "", "", ""])
    out.writerows(rows)
    result = read(file.getvalue().encode("utf-8", "replace"), region=region, allow_fiction=not live)
    report = result.report

    assert report.rows == report.expected_rows
    assert report.accepted == len(result.contacts)
    assert report.rejected_rows == len(result.rejects)


LINES = st.sampled_from(
    [b"Name,Phone\n", b"Phone;x\r\n", f"Ann,{ANN}\n".encode(), b'"', b"sep=;\n", b"\xff\xfe"]
)


@settings(max_examples=500)
@given(
    st.lists(st.one_of(LINES, st.binary(max_size=30)), max_size=8).map(b"".join),
    st.sampled_from(["contacts.csv", "contacts.xlsx", "contacts"]),
    st.sampled_from(["", "utf-8", "cp1252", "utf-16", "utf-7"]),
)
def test_no_bytes_raise_anything_but_a_contacts_error(
    data: bytes, name: str, encoding: str
) -> None:
    """Whatever a file holds, it gives contacts or one error with a message and a hint."""
    outcome = attempt(data, name=name, encoding=encoding)

    if isinstance(outcome, ContactsError):
        assert outcome.message
        assert outcome.hint
        assert outcome.message.isprintable()
    else:
        assert outcome.report.rows > 0
