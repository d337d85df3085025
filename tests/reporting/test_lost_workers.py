"""A worker that is lost: told once, by whoever notices first, and over when one lives again."""

import pytest
from memory_documents import MemoryDocuments
from reporting_doubles import EPOCH_S, Drill, breaker, failed_attempt

from callagent_cli.events import CommandObeyed
from callagent_cli.reporting.incidents import LostWorker, affected_calls, is_lost
from callagent_cli.reporting.incidents.incident import find, load

HALF_HOUR_S = 1800.0


def _lost(beat_s: float = 0.0, **more: object) -> LostWorker:
    fields: dict[str, object] = {"pid": 7, "host": "box", "heartbeat_utc_s": EPOCH_S + beat_s}
    return LostWorker(**{**fields, **more})  # type: ignore[arg-type]


def _noticed_by_a_watcher(drill: Drill, **more: object) -> Drill:
    drill.told += drill.book.workers.gone(_lost(**more), drill.instant())  # type: ignore[arg-type]
    return drill


def _noticed_by_the_next_start(drill: Drill, beat_s: float) -> Drill:
    drill.told += drill.book.workers.lost(_lost(beat_s), drill.instant())
    return drill


@pytest.mark.parametrize(
    ("ended_utc_s", "held", "silent_s", "expected"),
    [
        (5.0, False, 1000, False),
        (None, False, 0, True),
        (None, True, 14.9, False),
        (None, True, 15, True),
        (None, False, -50, True),
    ],
)
def test_a_heartbeat_is_lost_when_nobody_holds_the_lock_or_the_holder_is_silent(
    ended_utc_s: float | None, held: bool, silent_s: float, expected: bool
) -> None:
    """A run that ended is never lost; one whose process is gone always is."""
    told = is_lost(
        heartbeat_utc_s=100, ended_utc_s=ended_utc_s, held=held, now_utc_s=100 + silent_s
    )

    assert told is expected


def test_the_next_start_tells_that_the_worker_was_lost() -> None:
    """Opened at the start, resolved after two minutes of being alive."""
    drill = _noticed_by_the_next_start(Drill(at_s=100), 40).at(219)
    before = list(drill.kinds)
    drill.at(221)

    assert before == ["opened"]
    assert drill.kinds == ["opened", "resolved"]
    assert drill.told[0].severity == "warning"
    assert drill.told[0].title == "the worker was lost: silent for 1m, now another one dials"
    assert drill.told[1].title == "a worker is back after 1m"


def test_a_run_that_ends_soon_after_marks_the_end_as_early() -> None:
    """Nobody knows yet whether the next worker stays."""
    drill = _noticed_by_the_next_start(Drill(at_s=100), 40).at(110).end_of_run()

    assert drill.kinds == ["opened", "resolved"]
    assert drill.told[1].title == (
        "a worker is back after 1m (early: the run ended before 2 min of health were over)"
    )


def test_whoever_watches_tells_it_at_once_and_only_once() -> None:
    """It is critical: nobody dials until a person acts. A second watcher finds it told."""
    drill = _noticed_by_a_watcher(
        Drill(at_s=20), in_flight=("call_1", "call_2"), pending=9, command="callagent run c.csv"
    )
    drill.restart(after_s=1)
    _noticed_by_a_watcher(drill)
    told = drill.told[0]

    assert drill.kinds == ["opened"]
    assert (told.severity, told.service) == ("critical", "worker.heartbeat")
    assert told.title == "the worker is lost: silent for 20s, nobody is dialed"
    assert "What: the worker (pid 7 on box) is gone without having ended its run" in told.body
    assert "Impact: 2 calls met it, 9 calls not begun because of it" in told.body
    assert "Command: callagent run c.csv" in told.body
    assert set(affected_calls(drill.documents, "INC-0001")) == {"call_1", "call_2"}


def test_the_start_after_a_watcher_says_only_that_it_is_over() -> None:
    """The same incident, one opened and one resolved, two minutes after the new worker began."""
    drill = _noticed_by_a_watcher(Drill(at_s=20))
    drill.restart(after_s=300)
    _noticed_by_the_next_start(drill, 0).at(320 + 119)
    before = list(drill.kinds)
    drill.at(320 + 121)

    assert before == ["opened"]
    assert drill.kinds == ["opened", "resolved"]
    assert drill.told[1].title == "a worker is back after 5m20s"


def test_a_worker_that_only_hung_and_then_ended_well_is_no_riddle_for_the_next_start() -> None:
    """What a watcher told of it is over once another run lives, though that one lost nobody."""
    drill = _noticed_by_a_watcher(Drill(at_s=20), held=True)
    drill.restart(after_s=300)
    drill.told += drill.book.workers.back(drill.instant())
    drill.at(1000)

    assert drill.kinds == ["opened", "resolved"]
    assert "does not answer any more" in drill.told[0].body


def test_a_worker_that_wakes_up_is_well_after_two_minutes() -> None:
    """A watcher sees the heartbeat again, holds it for health, and tells the end itself."""
    drill = _noticed_by_a_watcher(Drill(at_s=20), held=True)
    for wait_s in (5, 119, 1):
        drill.restart(after_s=wait_s)
        drill.told += drill.book.workers.healthy(drill.instant())

    assert drill.kinds == ["opened", "resolved"]
    assert drill.now_s == 145


@pytest.mark.parametrize("resolved", [False, True])
def test_a_worker_lost_again_soon_is_the_same_incident(resolved: bool) -> None:
    """Within ten minutes: its second time, whether the first was declared over or not."""
    drill = _noticed_by_the_next_start(Drill(at_s=100), 90).at(230 if resolved else 130)
    drill.restart(after_s=100)
    _noticed_by_the_next_start(drill, drill.now_s - 10).at(drill.now_s + 200)
    updates = [alert for alert in drill.told if "(2nd time)" in alert.title]

    assert {alert.incident for alert in drill.told} == {"INC-0001"}
    assert drill.kinds.count("opened") == drill.kinds.count("resolved") == 1
    assert len(updates) == 1
    assert load(drill.documents)[0].times_opened == 2


def test_a_worker_lost_much_later_is_another_incident() -> None:
    """More than ten minutes after the last one was over."""
    drill = _noticed_by_the_next_start(Drill(at_s=100), 90).at(300)
    drill.restart(after_s=501)
    _noticed_by_the_next_start(drill, drill.now_s - 10)

    assert [incident.id for incident in load(drill.documents)] == ["INC-0001", "INC-0002"]


@pytest.mark.parametrize(("seen", "every_s"), [(False, HALF_HOUR_S), (True, 8 * HALF_HOUR_S)])
def test_a_watcher_reminds_as_rarely_as_a_worker(seen: bool, every_s: float) -> None:
    """Every 30 minutes while nobody has seen it, then every 4 hours; each look is a new process."""
    drill = _noticed_by_a_watcher(Drill(at_s=20))
    if seen:
        drill.see(CommandObeyed(command="ack", argument="", by="ana"))
    told = []
    for at_s in (every_s - 1, every_s, every_s + 60, 2 * every_s):
        drill.restart(after_s=20 + at_s - drill.now_s)
        _noticed_by_a_watcher(drill)
        told.append(len(drill.told))

    assert told == [1, 2, 2, 3]
    assert drill.told[1].title.startswith("reminder: the worker is lost: silent for")


def test_incidents_of_two_processes_never_share_an_id() -> None:
    """A worker that wakes up goes on counting behind what was opened while it hung."""
    documents = MemoryDocuments()
    worker = Drill(documents)
    _noticed_by_a_watcher(Drill(documents, at_s=30), held=True)
    worker.at(60).see(*[failed_attempt()] * 4, breaker("closed", "open"))
    lost, outage = find(documents, "INC-0001"), find(documents, "INC-0002")

    assert lost is not None
    assert outage is not None
    assert (lost.key, outage.key) == ("worker:heartbeat_lost", "elevenlabs:ServiceUnavailable")
