"""A number that is on the suppression list by mistake is taken off, and that is kept."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from contact_commands import INSTANT, Desk, closed_window, exported
from contact_files import ANN, BOB, EVE

from callagent_cli.store.suppressions import (
    EVERYWHERE,
    SANDBOX,
    Removal,
    Suppression,
    SuppressionList,
    campaign_scope,
)


def _of(number: str, scope: str = EVERYWHERE, *, heard: bool = False) -> Suppression:
    return Suppression(number=number, reason="asked", added_utc_s=1.0, scope=scope, heard=heard)


def _removal(suppression: Suppression) -> Removal:
    return Removal(suppression=suppression, removed_utc_s=2.0, removed_by="me", why="mistyped")


@pytest.fixture
def known(tmp_path: Path) -> Iterator[SuppressionList]:
    """Return the list of the desk's folder."""
    opened = SuppressionList.open(tmp_path / ".callagent" / "suppressions.db")
    yield opened
    opened.close()


def test_a_number_is_taken_off_with_a_reason_that_is_kept(desk: Desk) -> None:
    """Who did it, when and why is listed; the number can be suppressed again."""
    desk.say("contacts", "suppress", ANN, BOB)

    said = desk.say("contacts", "suppress", "--remove", ANN, "--reason", "mistyped", "--json")

    assert (said.code, said.document["removed"]) == (0, 1)
    listed = desk.say("contacts", "suppressed", "--json").document
    assert [each["number"] for each in listed["suppressions"]] == ["…101"]
    [removed] = listed["removed"]
    assert (removed["number"], removed["why"]) == ("…100", "mistyped")
    assert removed["by"]
    assert "taken off the list by" in desk.say("contacts", "suppressed").out
    assert desk.say("contacts", "suppress", ANN, "--json").document["added"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("suppress", "--remove", ANN), "needs a reason"),
        (("suppress", "--remove", ANN, "--reason", " "), "needs a reason"),
        (("suppress", "--remove", EVE, "--reason", "x"), "nothing was changed"),
        (("suppress", "--remove", ANN, "12", "--reason", "x"), "nothing was changed"),
        (("suppress", "--remove", "--reason", "x"), "numbers to suppress"),
        (("suppress", ANN, "--even-opt-outs"), "says nothing alone"),
        (("suppressed", "--remove"), "no --remove"),
    ],
)
def test_a_removal_that_is_not_clear_changes_nothing(
    desk: Desk, arguments: tuple[str, ...], message: str
) -> None:
    """Each has its own words, and the list stays as it is."""
    desk.say("contacts", "suppress", ANN)
    said = desk.say("contacts", *arguments)

    assert said.code == 2
    assert message in said.err
    assert desk.say("contacts", "suppressed", "--json").document["count"] == 1


def test_an_opt_out_that_was_heard_needs_a_word_of_its_own(
    desk: Desk, known: SuppressionList
) -> None:
    """Taking one off by a slip of the hand would call a person who said no."""
    known.add([_of(ANN, heard=True), _of(BOB)])
    arguments = ("contacts", "suppress", "--remove", ANN, BOB, "--reason", "a test call")

    refused = desk.say(*arguments)
    assert (refused.code, known.count()) == (2, 2)
    assert "…100 asked on a call not to be called again" in refused.err
    assert known.reason(BOB)

    assert desk.say(*arguments, "--even-opt-outs").code == 0
    assert (known.reason(ANN), known.reason(BOB)) == ("", "")


def test_what_a_campaigns_file_says_only_the_file_can_lift(
    desk: Desk, known: SuppressionList
) -> None:
    """The hint says so; what else is known of the number is taken off."""
    scope = campaign_scope("spring")
    known.add([_of(ANN, scope), _of(BOB, scope), _of(BOB, SANDBOX)])

    said = desk.say("contacts", "suppress", "--remove", BOB, "--reason", "x")
    alone = desk.say("contacts", "suppress", "--remove", ANN, "--reason", "x")

    assert said.code == 0
    assert "correct the file" in said.err
    assert (alone.code, "correct the file" in alone.err) == (2, True)
    assert [(each.number, each.scope) for each in known.entries()] == [(ANN, scope), (BOB, scope)]


def test_whoever_is_taken_off_is_called_by_the_next_run_of_the_same_file(desk: Desk) -> None:
    """Left out at import or cancelled later: neither is lost to the campaign."""
    window = {"dialing": {"window": closed_window()}}
    desk.write(json.dumps({**INSTANT, **window}), "callagent.yaml")
    name = desk.write(f"phone\n{ANN}\n{BOB}\n{EVE}\n")
    desk.say("contacts", "suppress", ANN)
    desk.say("run", name, "--headless", "--max-wait", "0s")
    desk.write(json.dumps(INSTANT), "callagent.yaml")
    database = sqlite3.connect(desk.folder / ".callagent/sandbox.db")
    database.execute("UPDATE calls SET due_utc_s = 0.0 WHERE due_utc_s IS NOT NULL")
    database.commit()
    database.close()
    desk.say("contacts", "suppress", BOB)
    desk.say("run", name, "--headless")
    states = [row["state"] for row in exported(desk.say("export").out)]
    desk.say("contacts", "suppress", "--remove", ANN, BOB, "--reason", "mistyped")

    said = desk.say("run", name, "--headless")

    assert states == ["excluded", "cancelled", "done"]
    assert "2 new, 1 known" in said.out
    assert [row["state"] for row in exported(desk.say("export").out)] == ["done"] * 3


def test_the_count_never_falls(known: SuppressionList) -> None:
    """A run takes a list that is shorter than before for one that was replaced."""
    known.add([_of(ANN), _of(BOB)])

    assert known.remove([_removal(_of(ANN)), _removal(_of(EVE))]) == 1
    assert known.count() == 2
    assert known.add([_of(ANN)]) == 1
    assert known.count() == 3


def test_whoever_says_so_besides_is_one_who_said_so(known: SuppressionList) -> None:
    """A number suppressed by hand whose person opts out needs the word for opt-outs afterwards."""
    known.add([_of(ANN)])

    assert known.add([_of(ANN, heard=True)]) == 0
    assert known.add([_of(ANN)]) == 0
    assert [each.heard for each in known.entries()] == [True]


def test_a_list_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """Its opt-outs are told from what was typed, by the reason they were stored with."""
    path = tmp_path / "suppressions.db"
    old = sqlite3.connect(path)
    old.execute(
        "CREATE TABLE suppressions (number TEXT NOT NULL, scope TEXT NOT NULL, "
        "reason TEXT NOT NULL, added_utc_s REAL NOT NULL, PRIMARY KEY (number, scope)) "
        "WITHOUT ROWID"
    )
    old.execute("PRAGMA application_id = 0x4341534C")
    old.execute("PRAGMA user_version = 1")
    old.execute("INSERT INTO suppressions VALUES (?, '', 'opted out on a call', 1.0)", (ANN,))
    old.execute("INSERT INTO suppressions VALUES (?, '', 'suppressed by hand', 2.0)", (BOB,))
    old.commit()
    old.close()

    for _ in range(2):
        known = SuppressionList.open(path)
        assert [(each.number, each.heard) for each in known.entries()] == [
            (ANN, True),
            (BOB, False),
        ]
        assert (known.count(), known.removals()) == (2, [])
        known.close()
