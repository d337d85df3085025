"""A worker that is killed or hangs: whoever watches says so, once, and how it goes on."""

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command_line import (
    callagent,
    journal,
    kill,
    place_in,
    started,
    status,
    until,
    until_line,
    write_contacts,
    write_settings,
)

from callagent_cli.cli.alerts import watcher as watching
from callagent_cli.cli.alerts.watcher import AGAIN_S, RETRY_S, Watcher, lost_run
from callagent_cli.cli.alerts.watcher_alerts import Told, tell
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.cli.screen.attached import attached_app
from callagent_cli.errors import StoreError
from callagent_cli.monitor.ports import Options
from callagent_cli.store import database
from callagent_cli.store.lock import Holder, WorkerLock, holder, kept_free
from callagent_cli.store.port import RunRow

SLOW = {"sandbox": {"pace": 1.0}, "dialing": {"max_dials": 1}}
HERE = os.uname().nodename
CHANNELS = 5
"""Alerts of a sandbox are written once for each pretended channel."""


def _told(folder: Path) -> list[dict[str, Any]]:
    file = folder / "logs" / "alerts.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    told = [json.loads(line) for line in lines]
    return [alert for alert in told if alert["service"] == "worker.heartbeat"]


def _run(**more: Any) -> RunRow:  # noqa: ANN401 — fields of the row.
    fields: dict[str, Any] = {
        "id": "run_1",
        "campaign": "contacts",
        "mode": "sandbox",
        "pid": 77,
        "host": HERE,
        "lanes": 1,
        "started_utc_s": 0.0,
        "heartbeat_utc_s": 100.0,
    }
    return RunRow(**{**fields, **more})


@pytest.fixture
def worker(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a slow campaign in a process of its own; calls are in flight when this yields."""
    write_settings(tmp_path, SLOW)
    write_contacts(tmp_path, 6)
    with started("run", "contacts.csv", "--lanes", "2", "--headless", folder=tmp_path) as process:
        until(lambda: any(each["event"] == "dial_settled" for each in journal(tmp_path)), "a dial")
        yield process


def test_status_says_at_once_that_the_worker_is_gone(
    tmp_path: Path, worker: "subprocess.Popen[str]"
) -> None:
    """No active call looks as if somebody worked on it; the way on is named."""
    kill(worker)
    text = callagent("status", folder=tmp_path).stdout.splitlines()
    document = status(tmp_path)

    assert text[0].startswith("SANDBOX ! LOST  ")
    assert f"pid {worker.pid}" in text[0]
    assert "in nobody's hands" in text[3]
    assert text[4] == "  next: callagent run contacts.csv"
    assert document["verdict"]["word"] == "LOST"
    assert document["worker_gone"] is True
    assert document["in_doubt"] <= document["totals"]["active"]


@pytest.mark.timeout(60)  # Five processes, one of them killed, and the grace of 5 s.
def test_two_who_watch_a_killed_worker_alert_once_and_the_next_run_resolves_it(
    tmp_path: Path, worker: "subprocess.Popen[str]"
) -> None:
    """One opened alert a channel although two watch, and one resolved when a worker lives again."""
    with (
        started("status", "--watch", folder=tmp_path) as first,
        started("status", "--watch", "--json", folder=tmp_path) as second,
    ):
        until_line(first, "RUNNING")
        until_line(second, "RUNNING")
        kill(worker)
        until_line(first, "the worker is lost")
        seen = json.loads(until_line(second, '"incident":"INC-0001"'))
        until_line(second, "schema")
        kill(first)
        kill(second)
    opened = _told(tmp_path)
    ended = callagent("run", "contacts.csv", "--headless", folder=tmp_path)
    resolved = _told(tmp_path)[len(opened) :]

    assert [alert["kind"] for alert in opened] == ["opened"] * CHANNELS
    assert {alert["severity"] for alert in opened} == {"critical"}
    assert seen["alerts"][0]["service"] == "worker.heartbeat"
    assert ended.returncode == 0, ended.stderr
    assert [alert["kind"] for alert in resolved] == ["resolved"] * CHANNELS
    assert {alert["incident"] for alert in resolved} == {"INC-0001"}
    assert status(tmp_path)["alerts"] == []


def test_an_attached_screen_alerts_too(
    tmp_path: Path, worker: "subprocess.Popen[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """`tui` looks at the heartbeat as `status --watch` does; a picture of it does not."""
    monkeypatch.setattr(watching, "GRACE_S", 0.0)
    place = place_in(tmp_path)
    kill(worker)
    picture = attached_app(place, "", Options(paint_every_s=None))
    screen = attached_app(place, "", Options(paint_every_s=None), watcher=Watcher(place))
    for app in (picture, screen):
        assert app.options.feed is not None
        app.options.feed.pull(app.state)
        app.options.feed.close()  # type: ignore[attr-defined]
        told = _told(tmp_path)
        expected = [] if app is picture else ["opened"] * CHANNELS
        assert [alert["kind"] for alert in told] == expected
    assert screen.state.gone
    assert screen.state.verdict(time.time()).word == "LOST"


def _stopped_between_two_commits(worker: "subprocess.Popen[str]", place: Workplace) -> None:
    """Stop a process at a moment at which it does not hold the database."""

    def stopped() -> bool:
        worker.send_signal(signal.SIGSTOP)
        with closing(sqlite3.connect(place.database, timeout=0.0)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                worker.send_signal(signal.SIGCONT)
                return False
        return True

    until(stopped, "a moment between two commits")


def test_a_worker_that_hangs_is_told_beside_it_and_is_over_when_it_wakes(
    tmp_path: Path, worker: "subprocess.Popen[str]"
) -> None:
    """It holds its lock and is silent; when it wakes up it goes on, and nothing is told twice."""
    place = place_in(tmp_path)
    store = place.read_store()
    run = store.last_run()
    store.close()
    assert run is not None
    _stopped_between_two_commits(worker, place)
    try:
        hung_s = run.heartbeat_utc_s + 20
        assert lost_run(run, holder(place.lock), hung_s) == run
        told = tell(place, run.id, lost=True)
    finally:
        worker.send_signal(signal.SIGCONT)
    woken = tell(place, run.id, lost=False)
    out, err = worker.communicate(timeout=15)

    assert (told.waiting, told.over, woken.over) == (0, False, False)
    assert [alert["kind"] for alert in _told(tmp_path)] == ["opened"] * CHANNELS
    assert "does not answer any more" in _told(tmp_path)[0]["body"]
    assert (worker.returncode, err) == (0, ""), out


def test_a_worker_that_begins_meanwhile_tells_it_itself(
    tmp_path: Path, worker: "subprocess.Popen[str]"
) -> None:
    """Whoever watches writes nothing when another process holds the lock, or the run has ended."""
    place = place_in(tmp_path)
    kill(worker)
    store = place.read_store()
    run = store.last_run()
    store.close()
    assert run is not None
    lock = WorkerLock(place.lock)
    lock.acquire("contacts")
    beside = tell(place, run.id, lost=True)
    lock.release()

    assert beside == tell(place, "run_0", lost=True) == Told(over=True)
    assert _told(tmp_path) == []


def test_the_lock_is_kept_free_only_for_an_instant(tmp_path: Path) -> None:
    """Nobody can take it meanwhile, and who held it last still stands in it."""
    path = tmp_path / "worker.lock"
    with kept_free(path) as free:
        assert free
    lock = WorkerLock(path)
    lock.acquire("run_1")
    with kept_free(path) as free:
        assert not free
    lock.release()


@pytest.mark.parametrize(
    ("run", "held_by", "now_s", "lost"),
    [
        (None, None, 200, False),
        (_run(ended_utc_s=101.0), None, 200, False),
        (_run(), None, 104.9, False),
        (_run(), None, 105, True),
        (_run(), None, 50, True),
        (_run(), 77, 114.9, False),
        (_run(), 77, 115, True),
        (_run(), 78, 200, False),
        (_run(host="elsewhere"), None, 114.9, False),
        (_run(host="elsewhere"), None, 115, True),
    ],
)
def test_a_worker_is_lost_for_who_watches_after_a_grace(
    run: RunRow | None, held_by: int | None, now_s: float, lost: bool
) -> None:
    """5 s without a process, 15 s of silence with one; never while the next one is beginning."""
    who = None
    if held_by is not None:
        who = Holder(pid=held_by, host=HERE, run="contacts", alive=True)

    assert (lost_run(run, who, now_s) is not None) is lost


class _Acts:
    """Stands in for telling, and counts; it answers what it was given."""

    def __init__(self, *answers: Callable[[], Told]) -> None:
        self.answers = list(answers)
        self.lost: list[bool] = []

    def __call__(self, _place: Workplace, _run_id: str, *, lost: bool) -> Told:
        """Answer the next thing."""
        self.lost.append(lost)
        return self.answers.pop(0)()


def _broken() -> Told:
    raise StoreError("the disk is full")


def test_a_watcher_acts_rarely_and_tries_again_sooner_when_alerts_wait(tmp_path: Path) -> None:
    """Each minute while all is told; after 30 s, 60 s … while something waits or failed."""
    now_s = [0.0]
    acts = _Acts(lambda: Told(waiting=2), _broken, Told, Told)
    watcher = Watcher(place_in(tmp_path), clock_s=lambda: now_s[0], act=acts)
    acted: list[float] = []
    for second in range(300):
        now_s[0] = float(second)
        before = len(acts.lost)
        watcher.look(_run(), None, 200.0)
        watcher.close()
        if len(acts.lost) > before:
            acted.append(second)
        if len(acted) == 4:
            break

    assert acted == [0, 2 * RETRY_S, 6 * RETRY_S, 6 * RETRY_S + AGAIN_S]
    assert acts.lost == [True] * 4


def test_a_watcher_stays_until_the_worker_was_well_or_another_run_began(tmp_path: Path) -> None:
    """A heartbeat that comes back is passed on; the next run is none of its business."""
    now_s = [0.0]
    acts = _Acts(Told, Told, lambda: Told(over=True))
    watcher = Watcher(place_in(tmp_path), clock_s=lambda: now_s[0], act=acts)
    alive = Holder(pid=77, host=HERE, run="contacts", alive=True)
    for heartbeat_s in (100.0, 200.0, 260.0, 320.0, 380.0):
        watcher.look(_run(heartbeat_utc_s=heartbeat_s), alive, max(200.0, heartbeat_s))
        watcher.close()
        now_s[0] += AGAIN_S

    assert acts.lost == [True, False, False]


def test_a_watcher_leaves_the_next_run_alone(tmp_path: Path) -> None:
    """Another run has begun: that one tells how it went on."""
    acts = _Acts(lambda: Told(note="the alert was sent"))
    watcher = Watcher(place_in(tmp_path), clock_s=lambda: 0.0, act=acts)
    watcher.look(_run(), None, 200.0)
    watcher.close()
    told = watcher.note
    watcher.look(_run(id="run_2", heartbeat_utc_s=199.0, pid=78), None, 200.0)

    assert (told, watcher.note) == ("the alert was sent", "")


def test_a_worker_that_hangs_within_a_transaction_is_told_all_the_same(
    tmp_path: Path, worker: "subprocess.Popen[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can write into the database: it is told once, and the next worker ends it."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.1)
    place = place_in(tmp_path)
    _stopped_between_two_commits(worker, place)
    store = place.read_store()
    run = store.last_run()
    store.close()
    assert run is not None
    with closing(sqlite3.connect(place.database, isolation_level=None)) as hanging:
        hanging.execute("BEGIN IMMEDIATE")
        told = tell(place, run.id, lost=True)
        again = tell(place, run.id, lost=True)
        kept = [file.stat().st_mode & 0o777 for file in place.state_dir.glob("*.watch.json")]
    kill(worker)
    ended = callagent("run", "contacts.csv", folder=tmp_path)

    assert (told.waiting, again.waiting, kept) == (0, 0, [0o600])
    assert ended.returncode == 0, ended.stderr
    assert [alert["kind"] for alert in _told(tmp_path)] == (
        ["opened"] * CHANNELS + ["resolved"] * CHANNELS
    )
    assert list(place.state_dir.glob("*.watch.json")) == []
