"""Files with NUL bytes: texts that lost some characters, and files that are no text at all."""

import pytest
from contact_commands import Desk
from contact_files import ANN, BOB, EVE, attempt, read
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.errors import ContactsError, ExitCode

PEOPLE = [f"+121255501{number:02d}" for number in range(40)]
TEXT = "phone,name,city\n" + "".join(f"{number},Ann,Rome\n" for number in PEOPLE)
HEADER_BYTES = TEXT.index("\n") + 1


@given(at=st.integers(HEADER_BYTES, len(TEXT) - 2))
def test_a_lost_character_costs_its_row_alone(at: int) -> None:
    """Wherever a NUL byte stands, nobody is called whose row it is in, and everybody else is."""
    damaged = TEXT[:at] + "\0" + TEXT[at + 1 :]
    whole = {line.partition(",")[0] for line in damaged.splitlines() if "\0" not in line}

    result = read(damaged)

    assert set(result.numbers) == whole - {"phone"}
    assert [each.code for each in result.rejects] == ["damaged"]


@pytest.mark.parametrize("encoding", ["", "utf-8", "cp1252"])
def test_a_file_whose_end_was_never_written_keeps_its_beginning(encoding: str) -> None:
    """After a power cut a file may end in thousands of NUL bytes; that row is named."""
    result = read(TEXT.encode() + b"\0" * 9_000, encoding=encoding)

    assert result.numbers == PEOPLE
    assert [(each.code, each.line) for each in result.rejects] == [("damaged", len(PEOPLE) + 2)]


def test_a_damaged_row_still_forbids_to_call() -> None:
    """A mark holds although the row is damaged elsewhere; a damaged mark is unreadable."""
    rows = f"{ANN},A\0,yes\n{ANN},again,\n{BOB},B,\0\n{EVE},E,\n"
    result = read(f"phone,name,do not call\n{rows}")

    assert result.numbers == [EVE]
    assert result.report.excluded == {"do_not_call": 2, "do_not_call_unreadable": 1}


def test_a_damaged_row_of_a_suppression_file_is_told(desk: Desk) -> None:
    """It may have held another number, which could still be called."""
    name = desk.write(f"phone\n{BOB}\n+1212555010\0{ANN[-1]}\n", "list.csv")

    said = desk.say("contacts", "suppress", "--file", name)

    assert said.code == ExitCode.USAGE
    assert "line 3: a NUL byte in the row: it is damaged" in said.err


@pytest.mark.parametrize(
    "data",
    [
        b"ph\0one,name\n" + TEXT.encode(),
        ("phone,姓名\n" + f"{ANN}," + "王小明先生" * 40 + "\n").encode("utf-16-le"),
        ("电话\n" + "王小明先生" * 400 + "\n").encode("utf-16-be"),
        b"phone,name\n" + bytes(range(32)) * 9,
        b"contacts.csv" + b"\0" * 500 + TEXT.encode(),
    ],
    ids=["damaged header", "UTF-16 without a mark", "the other UTF-16", "binary", "archive"],
)
def test_what_is_no_damaged_text_is_refused_whole(data: bytes) -> None:
    """Column names that lost characters, and other encodings and formats, are never guessed at."""
    outcome = attempt(data, name="contacts.csv")

    assert isinstance(outcome, ContactsError)
    assert "a NUL byte in the first line" in outcome.message or "a binary file" in outcome.message


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"BEGIN:VCARD\nTEL:+12125550100\n", "a vCard file"),
        (b"<html><table><tr><td>phone", "a web page"),
        (b"<?xml version='1.0'?><Workbook/>", "an XML document"),
    ],
)
def test_other_lists_of_contacts_say_what_they_are(data: bytes, kind: str) -> None:
    """What address books and web tools export under the name of a table has a hint of its own."""
    outcome = attempt(data, name="contacts.csv")

    assert isinstance(outcome, ContactsError)
    assert f"contacts.csv: {kind}" in outcome.message
    assert outcome.hint
