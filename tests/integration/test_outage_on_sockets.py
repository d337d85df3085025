"""The required outage on real sockets, its delays scaled by settings: the ladder, once."""

import asyncio
import csv
import json
from pathlib import Path
from typing import Any, Final

from command_line import INSTANT, journal, status, write_contacts, write_settings
from faulty_sandbox import Ended, Outage, faulty_sandbox, of, running

PEOPLE: Final = 10
POLICY: Final = {
    "retry": {"initial_delay_s": 0.05, "jitter": "none"},
    "budget": {"floor_per_s": 100},
    "health": {"interval_s": 0.2, "timeout_s": 1, "stale_after_s": 5},
    "breaker": {"open_s": 0.5, "ramp_s": 0},
}
SETTINGS: Final[dict[str, Any]] = {
    "lanes": 1,
    "services": {
        "elevenlabs": {"refusal_grace_s": 0.02, "policy": POLICY},
        "llm": {"policy": POLICY},
        "crm": {"policy": POLICY},
    },
}


async def _through_an_outage(folder: Path) -> Ended:
    outage = Outage({"elevenlabs"})
    async with faulty_sandbox(folder, outage), running(folder) as run:
        await run.until(
            lambda events: bool(
                of(events, "health_checked", health="unhealthy", breaker_state="open")
            )
        )
        outage.down.clear()
        return await run.ended()


def test_the_ladder_of_an_outage_runs_on_real_sockets(tmp_path: Path) -> None:
    """Retries, one failed call, alerts, open → half-open → closed by itself, the rest is placed."""
    write_contacts(tmp_path, PEOPLE)
    write_settings(tmp_path, INSTANT, SETTINGS)
    ended = asyncio.run(_through_an_outage(tmp_path))
    shown = status(tmp_path)
    log = journal(tmp_path)

    assert (ended.code, ended.err) == (1, ""), ended.err
    assert (shown["totals"]["failed"], shown["totals"]["done"]) == (1, PEOPLE - 1)
    retries = of(log, "retry_scheduled", operation="elevenlabs.dial")
    assert [retry["delay_s"] for retry in retries][:3] == [0.05, 0.1, 0.2]
    moves = [(move["old"], move["new"]) for move in of(log, "breaker_changed")]
    assert moves[:2] == [("closed", "open"), ("open", "half_open")]
    assert moves[-1] == ("half_open", "closed")
    assert of(log, "health_checked", health="unhealthy", breaker_state="open")


def test_an_outage_reaches_alerts_screen_and_sheet(tmp_path: Path) -> None:
    """The breaker's opening, its closing and the failed call are told on all of them."""
    write_contacts(tmp_path, PEOPLE)
    write_settings(tmp_path, INSTANT, SETTINGS)
    ended = asyncio.run(_through_an_outage(tmp_path))
    logs = tmp_path / "logs"
    alerts = [json.loads(line) for line in (logs / "alerts.jsonl").read_text().splitlines()]
    with (logs / "google-sheet.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    by_channel: dict[str, set[str]] = {}
    for alert in alerts:
        by_channel.setdefault(alert["channel"], set()).add(alert["kind"])
    assert set(by_channel) == {"email", "telegram", "webhook", "slack", "pagerduty"}
    assert all({"opened", "resolved", "call_failed"} <= kinds for kinds in by_channel.values()), (
        by_channel
    )
    assert ended.out.count("SANDBOX ALERT ") >= 3
    assert {"breaker_open", "breaker_half_open", "breaker_closed", "call_failed"} <= {
        row["event"] for row in rows
    }
    assert {row["masked number"] for row in rows} == {"", "…100"}
