"""Every kind of bad input has its own words: what is wrong, on which line, and what to do."""

import gzip
import io
import zipfile

import pytest
from contact_commands import Desk
from contact_files import ANN, BOB

from callagent_cli.contacts.codes import EXCLUDED_HINTS, REJECT_HINTS, hint_of


def _zip(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return data.getvalue()


WORKBOOK = _zip("xl/workbook.xml")

FILES = {
    "empty": (b"", "a.csv", "is empty", "export"),
    "blank lines": (b"\n\n  \n", "a.csv", "is empty", "export"),
    "header only": (b"name,phone\n", "a.csv", "a header and nothing below it", "export"),
    "workbook named csv": (WORKBOOK, "a.csv", "an Excel workbook (.xlsx)", "rename it"),
    "text named xlsx": (b"phone\n1", "a.xlsx", "not an Excel workbook", "rename it to .csv"),
    "gzip named csv": (gzip.compress(b"phone\n1"), "a.csv", "a gzip archive", "gunzip"),
    "zip named csv": (_zip("a.csv"), "a.csv", "a zip archive", "unpack it"),
    "damaged zip": (b"PK\x03\x04" + b"x" * 99, "a.csv", "a damaged zip", "export"),
    "damaged workbook": (WORKBOOK, "a.xlsx", "a damaged Excel workbook", "save it again"),
    "old workbook": (b"\xd0\xcf\x11\xe0" + b"x" * 99, "a.csv", "(.xls)", "save it as .xlsx"),
    "pdf": (b"%PDF-1.7 x", "a.csv", "a PDF document", "as CSV"),
    "binary": (b"phone\0\x01\x02\n", "a.csv", "a binary file", "as CSV UTF-8"),
    "mixed encodings": (
        "phone,ü\n1,".encode() + b"\x81\xff\n",
        "a.csv",
        "neither UTF-8 nor Windows-1252",
        "--encoding",
    ),
    "cut utf-16": (
        b"\xff\xfe" + "phone\n1".encode("utf-16-le")[:-1],
        "a.csv",
        "is damaged: not utf-16",
        "--encoding",
    ),
    "no phone column": (b"name,city\nAnn,Rome\n", "a.csv", "no phone column", "--phone-column"),
    "two phone columns": (
        b"name,Mobile,Home Phone\nAnn,1,2\n",
        "a.csv",
        "`Mobile`, `Home Phone`",
        '--phone-column "Mobile,Home Phone"',
    ),
    "equal headings": (b"phone,Name,name\n1,a,b\n", "a.csv", "two columns are called", "rename"),
    "no heading": (f"Ann,{ANN}\n".encode(), "a.csv", "where column names should stand", "first"),
    "unclosed quote": (
        f'name,phone\n"Ann,{ANN}\nBob,{BOB}\n'.encode(),
        "a.csv",
        "the quote opened on line 2 is never closed",
        "nothing was imported",
    ),
}


@pytest.mark.parametrize("kind", sorted(FILES))
def test_a_file_that_is_no_list_says_what_it_is(desk: Desk, kind: str) -> None:
    """Exit code 2, the file's name, its own reason and its own hint; nothing is made."""
    data, name, message, hint = FILES[kind]
    desk.write(data, name)

    said = desk.say("contacts", "check", name)

    error, _, rest = said.err.partition("\n\n")
    assert (said.code, said.out) == (2, "")
    assert error.startswith(f"error: {name}: ")
    assert message in error
    assert hint in rest
    assert not (desk.folder / ".callagent").exists()


def test_no_two_kinds_share_their_words(desk: Desk) -> None:
    """Each message above is of one kind only, but for the two ways of being empty."""
    messages = {}
    for kind, (data, name, _, _) in FILES.items():
        desk.write(data, name)
        messages[kind] = desk.say("contacts", "check", name).err.partition("\n")[0]
    del messages["blank lines"]

    assert len(set(messages.values())) == len(messages)


ROWS = {
    "scientific": "4.91512E+11",
    "invalid_phone": "+1 999 555 0100 0000",
    "letters": "call me 2125550100",
    "no_phone": "n/a",
    "no_country": "(212) 555-0100",
    "short_number": "12345",
    "emergency": "911",
    "toll_free": "+448081570000",
    "premium": "+449098790000",
    "extension": f"{ANN} ext 12345678901",
}


@pytest.mark.parametrize("code", ROWS)
def test_a_bad_number_loses_its_row_only(desk: Desk, code: str) -> None:
    """The code, the line and the fix are named; the next row is taken."""
    rows = f"name,phone\nAnn,{ROWS[code]}\nBob,{BOB}\n"

    document = desk.say("contacts", "check", desk.write(rows), "--json").document

    assert document["rejected_by_code"] == {code: 1}
    assert document["accepted"] == 1
    example = document["examples"][code]
    assert example["hint"] == hint_of(code)
    assert [line["line"] for line in example["lines"]] == [2]


@pytest.mark.parametrize(
    ("code", "row"),
    [
        ("columns", f"Ann,{ANN},,more,and more"),
        ("cell_too_large", f"{'x' * 200_000},{ANN},"),
        ("cell_too_large", f"{'x' * 4_100_000},{ANN},"),
        ("damaged", f"A\0n,{ANN},"),
        ("damaged", f"Ann,{ANN[:9]}\0{ANN[9:]},"),
        ("timezone", f"Ann,{ANN},Mars/Olympus"),
        ("quotes", f'"A"nn,{ANN},'),
    ],
)
def test_a_bad_row_is_lost_alone(desk: Desk, code: str, row: str) -> None:
    """A row out of shape, a 200 KB cell, an unknown zone or a stray quote cost that row only."""
    rows = f"name,phone,timezone\nEve,+442079460000,\n{row}\nBob,{BOB},\n"

    document = desk.say("contacts", "check", desk.write(rows), "--json").document

    assert document["rejected_by_code"] == {code: 1}
    assert document["accepted"] == 2
    assert document["examples"][code]["lines"][0]["line"] == 3


def test_a_number_of_fiction_is_refused_in_a_live_check(desk: Desk) -> None:
    """What the sandbox takes is refused where real phones would ring, each for its own reason."""
    desk.write('{"mode": "live"}', "callagent.yaml")

    document = desk.say("contacts", "check", desk.write(f"phone\n{ANN}\n"), "--json").document

    assert document["rejected_by_code"] == {"fiction": 1}
    assert document["mode"] == "live"


def test_every_code_has_a_hint_of_its_own() -> None:
    """No two codes give the same advice."""
    hints = [*REJECT_HINTS.values(), *EXCLUDED_HINTS.values()]

    assert len(set(hints)) == len(hints)
    assert all(hints)


def test_terminal_escapes_and_formulas_are_data(desk: Desk) -> None:
    """Nothing of a cell reaches the terminal raw: neither in the report nor in an error."""
    evil = "\x1b]0;owned\x07=cmd|'/c calc'!A1"
    rows = f'name,phone,"{evil}"\n{evil},{evil},{evil}\n{evil},{ANN},{evil}\n'

    for arguments in (("check",), ("suppress", "--file")):
        said = desk.say("contacts", *arguments, desk.write(rows))
        assert "\x1b" not in said.out + said.err
        assert "\x07" not in said.out + said.err
