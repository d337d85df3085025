"""A load that was killed: `status` says that people are missing, the next run that they came."""

import json
import time
from pathlib import Path

import pytest
from contact_commands import INSTANT, Desk

from callagent_cli.cli.campaign.loads import load_lines
from callagent_cli.cli.contacts import importer as contact_import
from callagent_cli.errors import ExitCode
from callagent_cli.store.lock import Holder
from callagent_cli.store.sqlite_store import SqliteStore

PEOPLE = 30
TEXT = "phone\n" + "".join(f"+121255501{number:02d}\n" for number in range(PEOPLE))


class _Killed(BaseException):
    """The process ended."""


@pytest.fixture
def killed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have a file's load killed after its first ten people; return the file's name."""
    desk.write(json.dumps(INSTANT), "callagent.yaml")
    name = desk.write(TEXT)
    monkeypatch.setattr(contact_import, "_BATCH", 10)
    sleep = time.sleep

    def kill(_: float) -> None:
        raise _Killed

    monkeypatch.setattr(time, "sleep", kill)
    with pytest.raises(_Killed):
        desk.say("run", name, "--headless", "--campaign", "spring")
    monkeypatch.setattr(time, "sleep", sleep)
    return name


def _status(desk: Desk, *more: str) -> str:
    return desk.say("status", *more).out


def test_status_says_that_a_load_was_interrupted_and_what_finishes_it(
    desk: Desk, killed: str
) -> None:
    """Text and JSON tell, and the command is one that can be typed as it stands."""
    told = (
        f"  the load of {killed} was interrupted at 10 people, the rest by:\n"
        f"    callagent run {killed} --campaign spring\n"
    )

    assert told in _status(desk)
    assert desk.say("status", "--json").document["half_loaded"] is True


def test_status_of_another_campaign_tells_as_well(desk: Desk, killed: str) -> None:
    """Without a name `status` shows what ran last, which a killed load never did."""
    other = desk.write("phone\n+12125550100\n", "other.csv")
    desk.say("run", other, "--headless")

    shown = _status(desk)
    assert "Contacts  1 = 1 done" in shown
    assert f"callagent run {killed} --campaign spring" in shown
    assert desk.say("status", "--json").document["half_loaded"] is False


def test_the_next_run_says_that_it_finished_the_load(desk: Desk, killed: str) -> None:
    """Everybody is there then, and nobody speaks of it any more."""
    said = desk.say("run", killed, "--headless", "--campaign", "spring")

    assert said.code == ExitCode.DONE
    assert "an earlier load of contacts.csv into campaign spring was interrupted" in said.err
    assert "the people who were missing have been added" in said.err
    assert f"30 rows: {PEOPLE - 10} new, 10 known" in said.out
    assert "interrupted" not in _status(desk)
    again = desk.say("run", killed, "--headless", "--campaign", "spring")
    assert "interrupted" not in again.err + again.out


def test_another_file_does_not_pass_for_the_one_that_was_interrupted(
    desk: Desk, killed: str
) -> None:
    """Whoever is only in the killed file is still missing, and the run says so."""
    assert killed == "contacts.csv"
    name = desk.write("phone\n+12125550100\n", "short.csv")

    said = desk.say("run", name, "--headless", "--campaign", "spring")

    assert "whoever is missing of it is added only if this file has them" in said.err


def test_a_load_that_goes_on_is_not_called_interrupted(desk: Desk, killed: str) -> None:
    """Who holds the lock for the campaign is the one who loads it."""
    assert killed
    with_lock = Holder(pid=1, host="here", run="spring", alive=True)
    store = SqliteStore.open(Path(".callagent/sandbox.db"), read_only=True)
    try:
        lines = load_lines(store, with_lock)
    finally:
        store.close()

    assert lines == ("contacts.csv is being loaded: 10 people so far",)
    assert desk.folder.is_dir()
