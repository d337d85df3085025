"""`callagent status`: from the database alone, in words and for programs."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from command_line import (
    INSTANT,
    callagent,
    finished_run,
    kill,
    started,
    states,
    status,
    until_line,
    write_contacts,
    write_settings,
)

from callagent_cli.calls.model import Call, CallState, Contact, Dial, DialStatus
from callagent_cli.cli.campaign.status_command import Look, document_of, text_of
from callagent_cli.cli.place.campaigns import campaign_of
from callagent_cli.cli.place.sheet_rows import ROW
from callagent_cli.cli.place.snapshot import snapshot_of
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.errors import UsageError
from callagent_cli.monitor.text import Paper
from callagent_cli.settings import Settings
from callagent_cli.store.documents import (
    RUN,
    RUN_KEY,
    SERVICE,
    RunDocument,
    ServiceDocument,
)
from callagent_cli.store.lock import Holder
from callagent_cli.store.port import Campaign, RunRow
from callagent_cli.store.sqlite_store import SqliteStore

NOW_S = 1_000_000.0
KEYS = {
    "schema",
    "at",
    "mode",
    "campaign",
    "verdict",
    "worker_alive",
    "data_age_s",
    "half_loaded",
    "run",
    "contacts",
    "totals",
    "results",
    "waiting",
    "services",
    "alerts",
    "in_doubt",
    "mutes",
    "sheet_rows_waiting",
    "worker_gone",
}


def _store(**run: object) -> SqliteStore:
    """Return a store with a run of one campaign and five calls in several states."""
    store = SqliteStore.open(None)
    store.save_campaign(
        Campaign(name="spring", source="c.csv", source_sha256="", created_utc_s=NOW_S)
    )
    states_of = [CallState.DONE, CallState.PARKED, CallState.PARKED, CallState.ACTIVE]
    calls = [
        Call(
            id=f"call_{line}",
            campaign="spring",
            contact=Contact(line=line, number=f"+1212555010{line}", name=f"P{line}"),
            state=state,
            reason="elevenlabs is down" if state is CallState.PARKED else "",
            waits_for="elevenlabs" if state is CallState.PARKED else "",
            result="answered" if state is CallState.DONE else "",
        )
        for line, state in enumerate([*states_of, CallState.PENDING])
    ]
    store.add_calls(calls)
    fields: dict[str, Any] = {
        "id": "run_1",
        "campaign": "spring",
        "mode": "sandbox",
        "pid": 77,
        "host": "here",
        "lanes": 2,
        "started_utc_s": NOW_S - 60,
        "heartbeat_utc_s": NOW_S - 1,
    }
    store.save_run(RunRow(**{**fields, **run}))
    return store


def _service(store: SqliteStore, breaker: dict[str, Any], **fields: Any) -> None:  # noqa: ANN401 — its own fields.
    document = ServiceDocument(
        service="elevenlabs",
        breaker=msgspec.Raw(msgspec.json.encode(breaker)),
        since_utc_s=NOW_S - 20,
        **fields,
    )
    store.put(SERVICE, "elevenlabs", msgspec.json.encode(document))


def _look(store: SqliteStore, *, alive: bool, age_s: float = 1.0) -> Look:
    return Look(
        place=Workplace(settings=Settings(), state_dir=Path("s"), logs_dir=Path("l")),
        campaign="spring",
        snapshot=snapshot_of(store, "spring", alive=alive, now_utc_s=NOW_S),
        holder=Holder(pid=77, host="here", run="run_1", alive=alive),
        heartbeat_utc_s=NOW_S - age_s,
        now_utc_s=NOW_S,
    )


def _lines(look: Look) -> list[str]:
    return text_of(look, Paper(columns=80))


def test_the_totals_add_up_to_the_contacts() -> None:
    """Whatever the states, their sum is the number of contacts."""
    store = _store()
    snapshot = snapshot_of(store, "spring", alive=True, now_utc_s=NOW_S)
    store.close()

    assert snapshot.totals == {"done": 1, "parked": 2, "active": 1, "pending": 1}
    assert [(group.waits_for, group.calls) for group in snapshot.waiting] == [("elevenlabs", 2)]
    assert snapshot.results == {"answered": 1}
    assert [call.number for call in snapshot.calls] == ["…103"]


def test_an_open_breaker_is_shown_with_its_reason() -> None:
    """State, reason and health come from the stored document."""
    store = _store()
    _service(store, {"state": "open", "reason": "4 failures"}, health="unhealthy", checked_utc_s=1)
    lines = _lines(_look(store, alive=True))
    store.close()

    assert any("elevenlabs" in line and "OPEN" in line and "unhealthy" in line for line in lines)
    assert "elevenlabs: 4 failures" in lines
    assert lines[0].startswith("SANDBOX ▶ RUNNING")


@pytest.mark.parametrize("body", [b"no json", b"{}", b'{"service":"elevenlabs","breaker":7}'])
def test_a_document_of_another_version_is_left_out(body: bytes) -> None:
    """What cannot be read is not known, and nothing else suffers."""
    store = _store()
    store.put(SERVICE, "elevenlabs", body)
    store.put(RUN, RUN_KEY, body)
    snapshot = snapshot_of(store, "spring", alive=True, now_utc_s=NOW_S)
    store.close()

    assert snapshot.breakers == ()
    assert snapshot.run is not None
    assert snapshot.run.paused_by == ""


def test_a_silent_worker_that_holds_the_lock_is_not_lost() -> None:
    """It is busy: the age of its data is shown instead."""
    store = _store(heartbeat_utc_s=NOW_S - 9)
    lines = _lines(_look(store, alive=True, age_s=9))
    store.close()

    assert "LOST" not in lines[0]
    assert "  data of 9 s ago; the worker lives" in lines


def test_a_silent_worker_without_the_lock_is_lost() -> None:
    """Nobody holds the database and no heartbeat came for more than 3 s."""
    store = _store(heartbeat_utc_s=NOW_S - 4)
    lines = _lines(_look(store, alive=False, age_s=4))
    store.close()

    assert lines[0] == "SANDBOX ! LOST  no heartbeat from pid 77 on here for 4s"
    assert "  data of 4 s ago; no worker holds the database" in lines


def test_what_the_run_waits_for_is_told_with_its_due_time() -> None:
    """The verdict is WAITING, why, and when the next call is due."""
    store = _store()
    notes = RunDocument(run="run_1", waiting="5 scheduled", waiting_due_utc_s=NOW_S + 3600)
    store.put(RUN, RUN_KEY, msgspec.json.encode(notes))
    lines = _lines(_look(store, alive=True))
    store.close()

    assert "WAITING  5 scheduled · next in 1h" in lines[0]


def _incident(store: SqliteStore) -> None:
    incident = {"id": "INC-0003", "first_failure_utc_s": NOW_S - 725}
    store.put("incident", "INC-0003", msgspec.json.encode(incident))
    for number, kind, title in (
        (1, "opened", "SANDBOX: elevenlabs is down: 4 failures in a row (503)"),
        (2, "call_failed", "SANDBOX: call …103 failed for good"),
    ):
        alert = {
            "id": f"INC-0003-{number:02d}",
            "incident": "INC-0003",
            "kind": kind,
            "severity": "critical",
            "service": "elevenlabs",
            "title": title,
            "body": "",
            "raised_utc_s": NOW_S - 700 + number,
        }
        store.put("alert", f"INC-0003-{number:02d}", msgspec.json.encode({"alert": alert}))


def test_an_open_incident_is_shown_with_its_id_and_age() -> None:
    """What is down comes before the call that failed by it; the age is that of the trouble."""
    store = _store()
    _incident(store)
    look = _look(store, alive=True)
    store.close()
    lines = _lines(look)
    line = next(line for line in lines if "INC-0003" in line)

    assert line.split()[:4] == ["!", "INC-0003", "critical", "12m"]
    assert "elevenlabs is down: 4 failures in a row (503)" in line
    assert not any("failed for good" in line for line in lines)
    alert = document_of(look).alerts[0]
    assert (alert.incident, alert.age_s, alert.muted_until) == ("INC-0003", 725.0, None)


@pytest.mark.parametrize("target", ["elevenlabs", "INC-0003", "all"])
def test_a_mute_is_shown_with_its_end_until_it_is_over(target: str) -> None:
    """Nobody forgets what they asked not to hear of; a mute that is over is not shown."""
    store = _store()
    _incident(store)
    for key, until_s in ((target, NOW_S + 2520), ("crm", NOW_S - 1)):
        mute = {"target": key, "until_utc_s": until_s, "by": "anna"}
        store.put("mute", key, msgspec.json.encode(mute))
    look = _look(store, alive=True)
    store.close()
    muted = [line for line in _lines(look) if line.startswith("Muted")]
    document = document_of(look)

    assert len(muted) == 1
    assert muted[0].startswith(f"Muted     {target} for another 42m, until ")
    assert muted[0].endswith(" by anna")
    assert [(mute.target, mute.by) for mute in document.mutes] == [(target, "anna")]
    assert document.alerts[0].muted_until == document.mutes[0].until


def test_calls_of_a_worker_that_is_gone_are_in_nobodys_hands() -> None:
    """How many were in flight, how many of them may have rung, and what takes them up."""
    store = _store()
    store.put(RUN, RUN_KEY, msgspec.json.encode(RunDocument(run="run_1", contacts="c.csv")))
    store.save_dial(
        Dial(
            id="dial_1",
            call="call_3",
            number="+12125550103",
            status=DialStatus.INTENT,
            intended_utc_s=NOW_S,
        )
    )
    snapshot = snapshot_of(store, "spring", alive=False, now_utc_s=NOW_S, gone=True)
    lines = _lines(replace(_look(store, alive=False), snapshot=snapshot))
    store.close()

    assert lines[0] == "SANDBOX ! LOST  pid 77 on here is gone"
    assert "  1 active call is in nobody's hands, 1 in doubt; the next start looks first" in lines
    assert "  next: callagent run c.csv" in lines


def test_the_notes_of_another_run_are_not_taken_for_this_one() -> None:
    """A pause of the run before says nothing about this one."""
    store = _store()
    store.put(RUN, RUN_KEY, msgspec.json.encode(RunDocument(run="run_0", paused_by="anna")))
    snapshot = snapshot_of(store, "spring", alive=True, now_utc_s=NOW_S)
    store.close()

    assert snapshot.run is not None
    assert snapshot.run.paused_by == ""


def test_a_campaign_is_found_by_name_or_is_the_last() -> None:
    """Without a name it is the one that ran last; an unknown name is an error."""
    store = _store()
    try:
        assert campaign_of(store, "") == campaign_of(store, "spring") == "spring"
        with pytest.raises(UsageError, match="no campaign `sprng`") as caught:
            campaign_of(store, "sprng")
    finally:
        store.close()
    assert "did you mean `spring`?" in caught.value.hint


def test_json_has_stable_keys_and_utc_times(tmp_path: Path) -> None:
    """One object with `schema` 1, after a run that has ended."""
    finished_run(tmp_path, 3)
    document = status(tmp_path)

    assert document.keys() == KEYS
    assert document["schema"] == 1
    assert document["verdict"]["word"] == "DONE"
    assert states(document) == {"done": 3}
    assert sum(document["totals"].values()) == document["contacts"] == 3
    assert datetime.fromisoformat(document["at"]).utcoffset() is not None
    assert document["at"].endswith("Z")
    assert [service["service"] for service in document["services"]] == ["elevenlabs", "llm", "crm"]
    assert document["worker_alive"] is False


def test_json_counts_the_sheet_rows_that_the_text_speaks_of(tmp_path: Path) -> None:
    """A program that watches learns of them as a person does."""
    finished_run(tmp_path, 1)
    store = SqliteStore.open(tmp_path / ".callagent" / "sandbox.db")
    for number in range(3):
        store.put(ROW, f"row_{number}", b"[]", open_=number != 0)
    store.close()
    text = callagent("status", folder=tmp_path).stdout

    assert "2 sheet rows wait, will be written when `sheet.spreadsheet_id` is set" in text
    assert status(tmp_path)["sheet_rows_waiting"] == 2


def test_watching_shows_it_again_and_again(tmp_path: Path) -> None:
    """`--watch --json` prints one document a second until it is stopped."""
    finished_run(tmp_path, 1)
    with started("status", "--watch", "--json", folder=tmp_path) as watching:
        first, second = (json.loads(until_line(watching, "schema")) for _ in range(2))
        kill(watching)

    assert first["verdict"] == second["verdict"]
    assert first["at"] < second["at"]


def test_looking_does_not_disturb_a_worker(tmp_path: Path) -> None:
    """Several looks while a run goes on: every one adds up, and the run ends well."""
    write_contacts(tmp_path, 40)
    write_settings(tmp_path, {**INSTANT, "sandbox": {"pace": 0.2}})
    looks = []
    with started("run", "contacts.csv", folder=tmp_path) as process:
        until_line(process, "done (")
        looks = [status(tmp_path) for _ in range(3)]
        out, err = process.communicate(timeout=15)

    assert (process.returncode, err) == (0, ""), out
    assert [sum(states(look).values()) for look in looks] == [40] * len(looks)
    assert states(status(tmp_path)) == {"done": 40}
