"""`callagent contacts`: checking a file, suppressing people, listing them."""

import json
import time

import pytest
from contact_commands import Desk
from contact_files import ANN, BOB, EVE

from callagent_cli.cli.contacts import progress as contacts_progress
from callagent_cli.cli.text import diagnostics
from callagent_cli.contacts.report import ImportReport

PEOPLE = f"name,phone,dnc\nAnn,{ANN},\nBob,{BOB},no\nBob again,{BOB},\nEve,{EVE},yes\n,,\n"


def test_a_check_counts_every_row_and_keeps_nothing(desk: Desk) -> None:
    """The counts add up, each reason names its lines, and neither campaign nor person is stored."""
    said = desk.say("contacts", "check", desk.write(PEOPLE))

    assert said.code == 0
    assert said.out.splitlines()[0] == (
        "SANDBOX contacts.csv: 5 rows: 2 new, 1 duplicate, 1 excluded, 1 blank"
    )
    assert "line 4: duplicate of line 3" in said.out
    assert "line 5: the do-not-call column says not to call" in said.out
    assert not (desk.folder / ".callagent").exists()


def test_a_check_as_json_is_one_object_without_whole_numbers(desk: Desk) -> None:
    """Programs get the same counts; a phone number appears nowhere."""
    document = desk.say("contacts", "check", desk.write(PEOPLE), "--json").document

    parts = ("accepted", "duplicate", "rejected", "excluded", "blank")
    assert document["schema"] == 1
    assert document["rows"] == sum(document[part] for part in parts) == 5
    assert document["usable"] is True
    assert not any(number[1:] in json.dumps(document) for number in (ANN, BOB, EVE))


def test_a_file_that_run_would_refuse_fails_the_check(desk: Desk) -> None:
    """More than a fifth of unusable rows is exit code 2; each is in the rejects file as it was."""
    name = desk.write(f"name,phone\nAnn,{ANN}\nBob,nothing\n=SUM(1),12\n")

    said = desk.say("contacts", "check", name)

    assert said.code == 2
    assert "error: 2 of 3 rows cannot be used" in said.err
    assert "logs/contacts-rejects.csv" in said.out
    written = (desk.folder / "logs/contacts-rejects.csv").read_text(encoding="utf-8")
    rejects = written.removeprefix("\ufeff")
    assert written[0] == "\ufeff", "or a spreadsheet takes it for the local encoding"
    assert [line.split(",")[0] for line in rejects.splitlines()] == ["line", "3", "4"]
    assert "Bob,nothing" in rejects
    assert ",=SUM" not in rejects
    assert (desk.folder / "logs/contacts-rejects.csv").stat().st_mode & 0o777 == 0o600


def test_a_changed_cell_is_named_with_its_line(desk: Desk) -> None:
    """What was cleaned can be looked up without the report for programs."""
    rows = "".join(f"tel:+121255501{last:02}\n" for last in range(7))
    said = desk.say("contacts", "check", desk.write(f"phone\n{rows}'{EVE}\n"))

    assert "7 changed (tel), lines 2, 3, 4, 5, 6 and 2 more: tel: was removed" in said.out
    assert "1 changed (spreadsheet_text), line 9: " in said.out


def test_the_reading_flags_are_heard(desk: Desk) -> None:
    """Columns, fields, encoding, region and the two readings of bare numbers reach the reader."""
    numbers = "Wer;Nummer A;Nummer B\nJürgen;;020 7946 0000\nEve;442079460001;\n"
    name = desk.write(numbers.encode("cp1252"))

    said = desk.say(
        "contacts",
        "check",
        name,
        "--phone-column",
        "Nummer A,Nummer B",
        "--map",
        "name=Wer",
        "--encoding",
        "cp1252",
        "--region",
        "gb",
        "--numbers-are-international",
        "--json",
    )

    assert said.document["accepted"] == 2
    assert said.document["phone_columns"] == ["Nummer A", "Nummer B"]
    assert said.document["variables"] == []
    national = ("--phone-column", "Nummer B", "--region", "GB", "--numbers-are-national")
    again = desk.say("contacts", "check", name, "--encoding", "cp1252", "--json", *national)
    assert again.document["accepted"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("contacts", "chek", "x.csv"), "cannot `chek`"),
        (("contacts", "check"), "one file to check"),
        (("contacts", "check", "a.csv", "b.csv"), "one file to check"),
        (("contacts", "check", "a.csv", "--reason", "x"), "takes no --file"),
        (("contacts", "check", "a.csv", "--map", "phone"), "takes field=column"),
        (("contacts", "check", "a.csv", "--map", "fone=A"), "no field `fone`"),
        (("contacts", "check", "a.csv", "--map", "name=A", "--map", "name=B"), "twice"),
        (("contacts", "check", "a.csv"), "no such file"),
        (("contacts", "suppress"), "numbers to suppress"),
        (("contacts", "suppress", ANN, "--file", "x"), "numbers to suppress"),
        (("contacts", "suppress", "--file", "x"), "no such file"),
        (("contacts", "suppress", "12", "--region", "XX"), "unknown region"),
        (("contacts", "suppressed", ANN), "takes no numbers"),
    ],
)
def test_a_wrong_command_line_is_explained(
    desk: Desk, arguments: tuple[str, ...], message: str
) -> None:
    """Each ends with 2, says what is wrong, gives a hint, and makes no list."""
    said = desk.say(*arguments)

    assert (said.code, said.out) == (2, "")
    assert message in said.err
    assert "hint: " in said.err
    assert not (desk.folder / ".callagent/suppressions.db").exists()


def test_suppressed_numbers_are_listed_masked(desk: Desk) -> None:
    """Who is suppressed stays so, with the reason; the list shows three digits of each number."""
    assert desk.say("contacts", "suppressed").out.startswith("nobody is suppressed")

    first = desk.say("contacts", "suppress", ANN, "(020) 7946 0000", "--region", "GB")
    again = desk.say("contacts", "suppress", ANN, "--reason", "asked by letter")
    listed = desk.say("contacts", "suppressed", "--json").document

    assert first.out == "2 numbers are never called again\n"
    assert again.out == "1 number is never called again, 1 of them on the list already\n"
    assert [(each["number"], each["reason"]) for each in listed["suppressions"]] == [
        ("…100", "suppressed by hand"),
        ("…000", "suppressed by hand"),
    ]
    assert ANN not in desk.say("contacts", "suppressed").out


def test_what_cannot_be_read_is_told_with_its_line_and_the_rest_is_kept(desk: Desk) -> None:
    """A value in a suppression file is never silently ignored, and never stops the others."""
    name = desk.write(
        f'name,phone,phone_2\nAnn,{ANN},\nNobody,,\nBob,unlisted,\nEve,"{EVE} / {BOB}",\n\n',
        "list.csv",
    )

    said = desk.say("contacts", "suppress", "--file", name, "--phone-column", "phone", "--json")

    assert said.code == 2
    assert said.document["numbers"] == 3
    assert said.document["problems"] == [
        "line 3: the phone cell is empty ()",
        "line 4: no phone number in `unlisted` (unlisted)",
    ]
    assert "2 of the values cannot be read" in said.err
    assert desk.say("contacts", "suppressed", "--json").document["count"] == 3


def test_a_bare_list_of_numbers_is_a_suppression_file(desk: Desk) -> None:
    """One number on each line, without any heading, is enough."""
    name = desk.write(f"{ANN}\n{BOB}\n", "stop.txt")

    assert desk.say("contacts", "suppress", "--file", name).code == 0
    listed = desk.say("contacts", "suppressed", "--json").document["suppressions"]
    assert {each["reason"] for each in listed} == {"listed in stop.txt"}


def test_a_number_in_a_column_that_is_not_read_is_no_success(desk: Desk) -> None:
    """It could still be called, so it is named; named columns are all that is meant."""
    name = desk.write(f"Mobile,Home,Note\n{ANN},{BOB},+1\n{ANN},,+ more\n")
    said = desk.say("contacts", "suppress", "--file", name)
    meant = desk.say("contacts", "suppress", "--file", name, "--phone-column", "Mobile")
    both = desk.say("contacts", "suppress", "--file", name, "--phone-column", "Mobile,Home")

    assert said.code == 2
    assert "line 2: column `Home` is not read; name all that are: --phone-column" in said.err
    assert "1 of the values cannot be read" in said.err
    assert meant.code == 0
    assert both.code == 0
    assert "2 numbers are never called again" in both.out


def test_a_number_that_can_be_read_two_ways_is_suppressed_both_ways(desk: Desk) -> None:
    """Rather two people left alone than one called who asked not to be."""
    said = desk.say("contacts", "suppress", "442079460000", "--region", "DE")

    assert said.out == "2 numbers are never called again\n"


def test_an_unclosed_quote_suppresses_nobody(desk: Desk) -> None:
    """A suppression file that cannot be read to its end changes nothing."""
    name = desk.write(f'phone\n{ANN}\n"{BOB}\n')

    said = desk.say("contacts", "suppress", "--file", name)

    assert said.code == 2
    assert "quote opened on line 3 is never closed" in said.err
    assert desk.say("contacts", "suppressed", "--json").document["count"] == 0


def test_a_check_knows_who_is_suppressed(desk: Desk) -> None:
    """Whoever is on the list is excluded, with any of their numbers."""
    desk.say("contacts", "suppress", ANN)
    name = desk.write(f'phone\n"{BOB}; {ANN}"\n{EVE}\n')

    document = desk.say("contacts", "check", name, "--json").document

    assert document["excluded_by_code"] == {"suppressed": 1}
    assert document["accepted"] == 1


def test_progress_is_shown_after_two_seconds_and_only_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A long reading overwrites one line and takes it away; a short one, or a pipe, has none."""
    shown: list[str] = []
    now_s = [100.0]
    monkeypatch.setattr(diagnostics, "moving", shown.append)
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    for terminal in (False, True):
        monkeypatch.setattr(diagnostics, "to_a_terminal", lambda: terminal)  # noqa: B023 — called at once.
        report = ImportReport()
        with contacts_progress.reading_progress(report):
            tell = report.progress or (lambda _read, _of: None)
            for elapsed_s, read, of in ((1.9, 10, None), (2.0, 20_000, None), (2.1, 30, None)):
                now_s[0] = 100.0 + elapsed_s
                tell(read, of)
            now_s[0] = 103.0
            tell(150_000, 200_000)
        now_s[0] = 100.0
        assert report.progress is None

    assert shown == ["20,000 rows read through", "50,000 rows checked, 75 %", ""]


def test_progress_tells_also_of_a_workbooks_texts_and_of_storing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each of the three parts of a large import moves the same line."""
    shown: list[str] = []
    now_s = iter(range(100, 200, 3))
    monkeypatch.setattr(diagnostics, "moving", shown.append)
    monkeypatch.setattr(diagnostics, "to_a_terminal", lambda: True)
    monkeypatch.setattr(time, "monotonic", lambda: float(next(now_s)))
    report = ImportReport()
    with contacts_progress.reading_progress(report):
        assert report.texts is not None
        assert report.stored is not None
        report.texts(1_000)
        report.stored(30_000, 40_000)

    assert shown == ["1,000 texts of the workbook read", "30,000 people stored, 75 %", ""]
    assert [getattr(report, name) for name in ("progress", "texts", "stored")] == [None] * 3
