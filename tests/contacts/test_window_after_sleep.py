"""The calling window is asked at the moment of each dial, whatever the clock did meanwhile."""

from pathlib import Path

import pytest

from callagent_cli.cli.contacts.importer import Importer
from callagent_cli.contacts.options import ReadOptions
from callagent_cli.events import CallChanged, DialIntended, Stamped
from callagent_cli.simulation.scenario.loader import load_scenario
from callagent_cli.simulation.worlds.world import World
from callagent_cli.store.sqlite_store import SqliteStore

SCENARIO = """
callagent: scenario/v1
name: asleep
title: The machine sleeps through the afternoon
campaign: {contacts: 3, lanes: 1}
settings:
  dialing:
    window: {opens: "09:00", closes: "21:00"}
timeline:
  - {name: sleep, at: 30s, do: clock_step, by: BY}
until: {at_most: 48h}
"""


@pytest.mark.parametrize("by", ["13h", "12h"])
def test_a_worker_that_slept_past_the_window_calls_nobody(tmp_path: Path, by: str) -> None:
    """Who was next is scheduled for the morning; from then on everybody is called."""
    path = tmp_path / "asleep.yaml"
    path.write_text(SCENARIO.replace("BY", by), encoding="utf-8")
    hours: list[float] = []
    put_off: list[CallChanged] = []

    def follow(_at_s: float, stamped: Stamped) -> None:
        if isinstance(stamped.event, DialIntended):
            hours.append(round(stamped.utc_s % 86_400 / 3600, 6))
        if isinstance(stamped.event, CallChanged) and stamped.event.new == "scheduled":
            put_off.append(stamped.event)

    evidence = World(load_scenario(path).scenario, 7, follow=follow).run()

    assert evidence.totals == {"done": 3}
    assert len(hours) == 3
    assert all(9 <= hour < 21 for hour in hours)
    assert [event.reason for event in put_off] == ["outside the calling window"] * 2
    assert all(9 * 3600 < (event.due_in_s or 0) <= 12 * 3600 for event in put_off)


def test_a_retry_that_slept_past_the_window_waits_for_the_morning(tmp_path: Path) -> None:
    """A back-off that lasts until the night, by the calendar, ends without a dial."""
    path = tmp_path / "asleep.yaml"
    refused = (
        "  - {name: down, at: 0s, for: 20s, target: elevenlabs.dial, fault: {status: 503}}\n"
        "  - {name: sleep, at: 4s, do: clock_step, by: 13h}\n"
    )
    head, _, tail = SCENARIO.partition("  - {name: sleep")
    path.write_text(head + refused + tail.partition("\n")[2], encoding="utf-8")
    hours: list[float] = []

    def follow(_at_s: float, stamped: Stamped) -> None:
        if isinstance(stamped.event, DialIntended):
            hours.append(round(stamped.utc_s % 86_400 / 3600, 6))

    evidence = World(load_scenario(path).scenario, 7, follow=follow).run()

    assert evidence.totals == {"done": 3}
    assert len(hours) == 4
    assert all(9 <= hour < 21 for hour in hours)


def test_whoever_is_in_no_known_zone_is_not_called_in_a_live_run(tmp_path: Path) -> None:
    """The person is kept, excluded with the reason, and counted once in the report."""
    path = tmp_path / "c.csv"
    # A satellite phone may be anywhere.
    text = "phone,timezone\n+12125550100,\n+442079460000,Europe/London\n+870773111632,\n"
    path.write_text(text, encoding="utf-8")
    store = SqliteStore.open(tmp_path / "live.db")
    importer = Importer(
        path, ReadOptions(allow_fiction=True), "spring", source="c.csv", allow_rejects=True
    )

    report = importer.load(store, now_utc_s=0.0, zones=True)

    calls = {call.contact.number: call for call in store.calls("spring")}
    store.close()
    assert calls["+12125550100"].contact.timezone == "America/New_York"
    assert calls["+442079460000"].contact.timezone == "Europe/London"
    nowhere = calls["+870773111632"]
    assert (nowhere.state.value, "time zone is unknown" in nowhere.reason) == ("excluded", True)
    assert (report.rows, report.accepted) == (3, 2)
    assert report.excluded == {"no_timezone": 1}
    assert importer.known == 0
