"""A calling window that is set in the sandbox is rehearsed as it is kept live."""

import json
from contextlib import closing

import pytest
from contact_commands import INSTANT, Desk, exported
from contact_files import ANN, EVE

from callagent_cli.calls.model import Call, CallState, Contact
from callagent_cli.cli.contacts.importer import Importer
from callagent_cli.contacts.options import ReadOptions
from callagent_cli.store.sqlite_store import SqliteStore

LOS_ANGELES = "+12135550100"
IVY = "+12125550123"
NOWHERE = "+870773111632"
"""A satellite phone: it may be anywhere."""

TEXT = f"phone,tz\n{ANN},\n{LOS_ANGELES},\n{EVE},\n{NOWHERE},\n{IVY} x7,Asia/Tokyo\n"


def _zones(desk: Desk) -> dict[str, str]:
    rows = exported(desk.say("export").out)
    return {row["number"].lstrip("'") + row["extension"]: row["timezone"] for row in rows}


@pytest.fixture
def all_day(desk: Desk) -> str:
    """Set a window that is open all day, so that nobody waits; return the contacts file."""
    dialing = {"max_dials": 1, "window": {"opens": "00:00", "closes": "24:00"}}
    desk.write(json.dumps({**INSTANT, "dialing": dialing}), "callagent.yaml")
    return desk.write(TEXT)


def test_a_window_is_kept_in_each_persons_own_zone(desk: Desk, all_day: str) -> None:
    """The column's, else the number's, as in a live run; never that of UTC."""
    assert desk.say("run", all_day, "--headless").code == 0

    zones = _zones(desk)
    assert zones[ANN] == "America/New_York"
    assert zones[LOS_ANGELES] == "America/Los_Angeles"
    assert "Europe/London" in zones[EVE]
    assert zones[f"{IVY}7"] == "Asia/Tokyo"


def test_whose_zone_is_unknown_is_not_called(desk: Desk, all_day: str) -> None:
    """With the reason, in the check and in the run, which agree."""
    checked = desk.say("contacts", "check", all_day, "--json").document
    said = desk.say("run", all_day, "--headless")

    assert checked["excluded_by_code"] == {"no_timezone": 1}
    assert "1 excluded (no_timezone)" in said.out
    assert "4 done, 1 excluded" in said.out


def test_a_window_that_is_set_after_the_import_is_kept_in_everybodys_zone(
    desk: Desk, all_day: str
) -> None:
    """Whoever was stored without a zone gets the number's, or is not called."""
    importer = Importer(
        desk.folder / all_day, ReadOptions(allow_fiction=True), "contacts", source=all_day
    )
    with closing(SqliteStore.open(desk.folder / ".callagent/sandbox.db")) as store:
        importer.load(store, now_utc_s=1.0, zones=False)
        again = next(call for call in store.calls("contacts") if call.contact.number == EVE)
        store.save_call(again.evolve(state=CallState.SCHEDULED, dials=1, due_utc_s=2.0))
        gone = _left_behind("+493023125123")
        store.add_calls([gone])

    desk.say("run", all_day, "--headless")
    rows = {row["number"].lstrip("'"): row for row in exported(desk.say("export").out)}

    assert rows[LOS_ANGELES]["timezone"] == "America/Los_Angeles"
    assert "Europe/London" in rows[EVE]["timezone"]
    assert rows["+493023125123"]["timezone"] == "Europe/Berlin"
    assert (rows[NOWHERE]["state"], rows[NOWHERE]["reason"]) == (
        "cancelled",
        "the time zone is unknown: add a `timezone` column",
    )


def _left_behind(number: str) -> Call:
    """Return a call of the campaign whose person this file does not have."""
    contact = Contact(line=9, number=number, name="Gone")
    return Call(id="call_gone", campaign="contacts", contact=contact)


def test_without_a_window_nobody_needs_a_zone(desk: Desk) -> None:
    """In the sandbox it is open then, wherever people are."""
    desk.write(json.dumps(INSTANT), "callagent.yaml")
    desk.say("run", desk.write(TEXT), "--headless")

    assert set(_zones(desk).values()) == {"", "Asia/Tokyo"}
