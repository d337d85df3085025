"""Whoever must not be called is a contact all the same: stored, exported once, taken back."""

import json

import pytest
from contact_commands import INSTANT, Desk, exported
from contact_files import ANN, BOB, EVE, read

from callagent_cli.contacts.options import LeftOut, ReadOptions
from callagent_cli.contacts.reader import read_people
from callagent_cli.contacts.report import ImportReport


@pytest.fixture(autouse=True)
def _instant(desk: Desk) -> None:
    desk.write(json.dumps(INSTANT), "callagent.yaml")


def _run(desk: Desk, text: str, *more: str) -> str:
    said = desk.say("run", desk.write(text), "--headless", "--campaign", "spring", *more)
    assert said.code == 0, said.err
    return said.out


def _states(desk: Desk) -> list[tuple[str, str, str]]:
    """Return number, state and reason of every exported contact."""
    rows = exported(desk.say("export", "--campaign", "spring").out)
    return [(row["number"].lstrip("'"), row["state"], row["reason"]) for row in rows]


def test_every_person_of_a_file_is_exported_once_with_the_reason(desk: Desk) -> None:
    """Called, marked, unclearly marked and suppressed; a row without a number is no contact."""
    desk.say("contacts", "suppress", EVE)
    number = "+12125550199"
    _run(
        desk,
        f"name,phone,dnc\nAnn,{ANN},yes\nBob,{BOB},\nEve,{EVE},\nPat,{number},perhaps\nAnn,{ANN},\n"
        "No,,yes\n",
    )

    assert _states(desk) == [
        (ANN, "excluded", "the do-not-call column says not to call"),
        (BOB, "done", "answered"),
        (EVE, "excluded", "on the suppression list"),
        (number, "excluded", "the do-not-call cell is unreadable"),
    ]
    status = desk.say("status", "--json").document
    assert (status["contacts"], status["totals"]["excluded"]) == (4, 3)


def test_a_row_that_cannot_be_used_is_in_the_rejects_and_not_in_the_export(desk: Desk) -> None:
    """It names nobody: there is no contact to tell of."""
    _run(desk, f"phone\n{ANN}\n12\n", "--allow-rejects")

    assert [number for number, _, _ in _states(desk)] == [ANN]
    assert ",short_number," in (desk.folder / "logs/spring-rejects.csv").read_text()


def test_a_corrected_mark_takes_a_person_back(desk: Desk) -> None:
    """What only an unreadable cell forbade is allowed by the next version of the file."""
    _run(desk, f"name,phone,dnc\nAnn,{ANN},perhaps\nBob,{BOB},\n")
    assert _states(desk)[0][1] == "excluded"

    told = _run(desk, f"name,phone,dnc\nAnna,{ANN},no\nBob,{BOB},\n")

    assert "1 new, 1 known" in told
    assert _states(desk) == [(ANN, "done", "answered"), (BOB, "done", "answered")]
    assert exported(desk.say("export", "--campaign", "spring").out)[0]["name"] == "Anna"


def test_a_clear_mark_in_a_later_version_does_not_touch_who_was_called(desk: Desk) -> None:
    """What happened stays as it happened."""
    _run(desk, f"phone,dnc\n{ANN},\n{BOB},\n")
    _run(desk, f"phone,dnc\n{ANN},yes\n{BOB},\n")

    assert [state for _, state, _ in _states(desk)] == ["done", "done"]


@pytest.mark.parametrize(
    ("rows", "left_out"),
    [
        (f"{ANN},,yes\n{ANN},,\n{ANN},,yes\n", [(ANN, "", 2)]),
        (f"{ANN},7,yes\n{ANN},8,\n", [(ANN, "7", 2), (ANN, "8", 3)]),
        (f"{ANN},,\n{ANN},,yes\n", [(ANN, "", 2)]),
        ("12,,yes\n", []),
    ],
)
def test_whoever_is_left_out_comes_once(
    desk: Desk, rows: str, left_out: list[tuple[str, str, int]]
) -> None:
    """However many rows forbid it; by number and extension; never without a number."""
    path = desk.folder / desk.write(f"phone,ext,dnc\n{rows}")
    report = ImportReport()
    found = list(read_people(path, ReadOptions(allow_fiction=True), report=report))

    people = [each.contact for each in found if isinstance(each, LeftOut)]
    assert [(each.number, each.extension, each.line) for each in people] == left_out
    assert len(found) == len(people)
    assert report.accepted == 0


def test_a_marked_row_keeps_what_else_it_says() -> None:
    """Name and variables are exported, also when another cell of the row is wrong."""
    text = f"name,phone,tz,dnc,City\nAnn,{ANN},,x,Rome\nBob,{BOB},Mars,x,Oslo\n"
    result = read(text)

    assert result.contacts == []
    assert result.report.excluded == {"do_not_call": 2}
