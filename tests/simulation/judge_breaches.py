"""Worlds that break an invariant, with what the judge must say and the line it must name."""

from typing import Any

import msgspec
from judge_worlds import (
    NUMBER,
    Plot,
    alert,
    attempt,
    breaker,
    moved,
    rang,
    received,
    settled,
    world,
)

from callagent_cli.events import (
    GateClosed,
    ListenerFailed,
    RetryScheduled,
    StepFinished,
    StepStarted,
)
from callagent_cli.settings import Settings

RETRY: dict[str, Any] = {
    "service": "elevenlabs",
    "operation": "elevenlabs.dial",
    "call": "call_1",
    "reason": "backoff",
    "delay_s": 5.0,
    "outcome": "unavailable",
}
WITH_SECOND_MODEL = msgspec.convert(
    {"services": {"llm": {"fallback": {"provider": "openai"}}}}, Settings
)
REFUSED: dict[str, Any] = {"status": 503, "attempt_id": "d1"}
RECORDED = StepFinished(call="call_1", step="record", detail="")
RECORDS = StepStarted(call="call_1", step="record")

BROKEN: list[tuple[str, str, Plot, int]] = [
    ("no_call_lost", "1 call for 2 contacts", world(totals={"done": 1}), 0),
    (
        "no_call_lost",
        "internal error: TypeError",
        world((1, moved("active", "failed", reason="internal error: TypeError: no"))),
        1,
    ),
    (
        "no_call_lost",
        "monitor raised ValueError",
        world((1, ListenerFailed(listener="monitor", error_class="ValueError", error_message=""))),
        1,
    ),
    ("no_call_lost", "from done to active", world((1, moved("done", "active"))), 1),
    (
        "no_call_lost",
        "but it was active",
        world((1, moved("pending", "active")), (2, moved("parked", "active"))),
        2,
    ),
    ("no_call_lost", "without a reason", world((1, moved("active", "parked", reason=""))), 1),
    ("no_call_lost", "ended with 2 calls active", world(totals={"active": 2}), 0),
    (
        "nobody_dialed_twice",
        "rang 2 times",
        world(
            (1.1, settled("d1")),
            (7, moved("active", "active")),
            placed=[rang(1, "d1"), rang(6, "d2")],
        ),
        2,
    ),
    (
        "nobody_dialed_twice",
        "rang 2 times",
        world((3, moved("active", "scheduled")), placed=[rang(1, "d1"), rang(6, "d2")]),
        1,
    ),
    (
        "nobody_dialed_twice",
        "without proof",
        world((5, moved("active", "active")), requests=[received(1, **REFUSED), received(6)]),
        1,
    ),
    (
        "nobody_dialed_twice",
        "without proof",
        world(
            (9, moved("active", "active")),
            requests=[
                received(1, status=0),
                received(2, "elevenlabs.look_up", status=503),
                received(6),
            ],
        ),
        1,
    ),
    *(
        (
            "nobody_dialed_twice",
            "without proof",
            world(
                (9, moved("active", "active")),
                requests=[received(1, **REFUSED), late, received(16)],
            ),
            1,
        )
        for late in (
            received(2, "elevenlabs.look_up", after_s=11.0),
            received(2, "elevenlabs.look_up", fault="answer"),
        )
    ),
    (
        "nobody_dialed_twice",
        "without proof",
        world(
            (9, moved("active", "active")),
            requests=[received(1, status=429, after_s=31.0), received(40)],
        ),
        1,
    ),
    ("breaker_legal", "from closed to half_open", world((1, breaker("closed", "half_open"))), 1),
    ("breaker_legal", "from open to closed", world((1, breaker("open", "closed"))), 1),
    (
        "breaker_legal",
        "but it was open",
        world((1, breaker("closed", "open")), (2, breaker("closed", "open"))),
        2,
    ),
    (
        "breaker_legal",
        "half_open by itself: unauthorized",
        world(
            (1, breaker("closed", "isolated", owner="unauthorized")),
            (99, breaker("isolated", "half_open")),
        ),
        2,
    ),
    (
        "nothing_sent_while_open",
        "elevenlabs.follow was sent at 5.0 s",
        world(
            (1, breaker("closed", "open")),
            (30, breaker("open", "half_open")),
            requests=[received(5, "elevenlabs.follow")],
        ),
        1,
    ),
    (
        "nothing_sent_while_open",
        "isolated",
        world(
            (1, breaker("closed", "isolated", "crm")),
            (9, attempt("llm.compose")),
            requests=[received(5, "crm.record")],
        ),
        1,
    ),
    (
        "nothing_sent_while_open",
        "call_1 began at 5.0 s, but llm is open",
        world(
            (1, breaker("closed", "open", "llm")),
            (5, moved("pending", "active", step="look_up")),
            (30, breaker("open", "half_open", "llm")),
        ),
        2,
    ),
    (
        "nothing_sent_while_open",
        "but llm is isolated and llm_fallback is open",
        world(
            (1, breaker("closed", "isolated", "llm")),
            (2, breaker("closed", "open", "llm_fallback")),
            (5, moved("pending", "active", step="compose")),
            (30, breaker("open", "half_open", "llm_fallback")),
            settings=WITH_SECOND_MODEL,
        ),
        3,
    ),
    (
        "trials_at_most_1",
        "had 2 trials",
        world(
            (5, breaker("open", "half_open")),
            (8, attempt(duration_s=2, trial=True)),
            (9, attempt(duration_s=2, trial=True)),
        ),
        3,
    ),
    (
        "trials_at_most_1",
        "was no trial",
        world(
            (5, breaker("open", "half_open")), (8, attempt()), (9, breaker("half_open", "closed"))
        ),
        2,
    ),
    (
        "retries_only_transient",
        "is retried after unauthorized",
        world((1, RetryScheduled(**{**RETRY, "outcome": "unauthorized"}))),
        1,
    ),
    (
        "retries_only_transient",
        "before its retry was due",
        world((1, RetryScheduled(**RETRY)), (4, attempt(call="call_1"))),
        2,
    ),
    (
        "retries_only_transient",
        "before its retry was due",
        world(
            (1, RetryScheduled(**RETRY)),
            (2, attempt("crm.record")),
            (4, attempt(call="call_1"), "run_2"),
            ahead_s={"run_2": 1.0},
        ),
        3,
    ),
    (
        "retries_only_transient",
        "before Retry-After",
        world(
            (1, GateClosed(service="llm", delay_s=20.0, reason="429")),
            (9, attempt("llm.compose", call="call_2")),
        ),
        2,
    ),
    (
        "retries_only_transient",
        "before Retry-After (61.0 s)",  # What came and went meanwhile lifts nothing.
        world(
            (1, GateClosed(service="llm", delay_s=60.0, reason="429")),
            (6, GateClosed(service="llm", delay_s=1.0, reason="429")),
            (6.5, attempt("llm.compose", 2.5, call="call_2")),
        ),
        3,
    ),
    (
        "retries_only_transient",
        "before Retry-After (61.0 s)",  # Nor does one that lasts longer.
        world(
            (1, GateClosed(service="llm", delay_s=60.0, reason="429")),
            (6, GateClosed(service="llm", delay_s=90.0, reason="429")),
            (6.5, attempt("llm.compose", 2.5, call="call_2")),
        ),
        3,
    ),
    ("retries_only_transient", "attempt 5 of 4", world((1, attempt(attempt=5))), 1),
    ("retries_only_transient", "attempt 5 of 4", world((1, attempt(attempt=5, of=6))), 1),
    (
        "retries_only_transient",
        "is retried 4 times, the policy allows 3",
        world(*((at_s, RetryScheduled(**RETRY)) for at_s in (1, 11, 21, 31))),
        4,
    ),
    (
        "retries_only_transient",
        "retried in 0.1 s, the ladder says 3.75 to 6.25 s",
        world((1, RetryScheduled(**{**RETRY, "delay_s": 0.1}))),
        1,
    ),
    (
        "retries_only_transient",
        "retried in 5 s, the ladder says 7.5 to 12.5 s",
        world((1, RetryScheduled(**{**RETRY, "attempt": 3}))),
        1,
    ),
    (
        "retries_only_transient",
        "before Retry-After (71.0 s)",
        world(
            (11, attempt("llm.compose", outcome="unavailable", http_status=503)),
            (20, attempt("llm.compose", call="call_2")),
            requests=[received(10, "llm.compose", status=503, after_s=1, retry_after_s=60)],
        ),
        2,
    ),
    ("one_alert_per_outage", "opened twice", world((1, alert("opened")), (2, alert("opened"))), 2),
    (
        "one_alert_per_outage",
        "opened twice",
        world((1, alert("opened")), (5, moved("active", "done")), (6, alert("opened"), "run_2")),
        3,
    ),
    (
        "one_alert_per_outage",
        "second incident while inc_1 is open",
        world((1, alert("opened")), (2, alert("opened", "inc_2"))),
        2,
    ),
    (
        "one_alert_per_outage",
        "resolved twice",
        world((1, alert("opened")), (2, alert("resolved")), (3, alert("resolved"))),
        3,
    ),
    (
        "one_alert_per_outage",
        "opened at 1.0 s, and nobody was told",
        world((1, breaker("closed", "open")), (9, moved("pending", "active"))),
        1,
    ),
    (
        "one_alert_per_outage",
        "nobody was told",
        world((1, breaker("closed", "isolated")), (9, alert("opened"))),
        1,
    ),
    (
        "one_alert_per_outage",
        "opened at 1000.0 s, and nobody was told",
        world(
            (1, breaker("closed", "open")),
            (1, alert("opened")),
            (50, breaker("half_open", "closed")),
            (170, alert("resolved")),
            (1000, breaker("closed", "open")),
            (1030, breaker("open", "half_open")),
        ),
        5,
    ),
    ("one_alert_per_outage", "but never opened", world((1, alert("resolved"))), 1),
    (
        "one_alert_per_outage",
        "was never resolved, but its breaker closed at 50.0 s",
        world(
            (1, breaker("closed", "open")),
            (1, alert("opened")),
            (50, breaker("half_open", "closed")),
            (900, moved("active", "done")),
        ),
        3,
    ),
    (
        "completed_step_never_repeated",
        "began record again",
        world((1, RECORDED), (2, RECORDS)),
        2,
    ),
    (
        "completed_step_never_repeated",
        "began record again",
        world((1, RECORDED), (5, moved("active", "done", "call_2")), (6, RECORDS, "run_2")),
        3,
    ),
    (
        "no_secret_in_log",
        "12 characters",
        world(log=f"a\nb {NUMBER}\n".encode(), secrets=[NUMBER]),
        2,
    ),
    (
        "no_secret_in_log",
        "full number of 12 characters",
        world(log=b'a\nb\n{"reason":"to +12125550101"}\n', numbers=["+12125550100", NUMBER]),
        3,
    ),
    (
        "no_secret_in_log",
        "full number of 11 characters",
        world(log=b'a\n{"reason":"0012125550101 is busy"}\n', numbers=[NUMBER]),
        2,
    ),
    (
        "finished",
        "2 parked; call_1: parked, waits for llm",
        world(finished=False, totals={"parked": 2}, stuck=["call_1: parked, waits for llm"]),
        0,
    ),
]
