"""The second language model on real sockets: it stands in, and hands back."""

import asyncio
from pathlib import Path
from typing import Any, Final

from command_line import journal, status, write_contacts, write_settings
from faulty_sandbox import Ended, Outage, faulty_sandbox, of, running
from test_outage_on_sockets import POLICY

PEOPLE: Final = 16
SETTINGS: Final[dict[str, Any]] = {
    "lanes": 1,
    "sandbox": {"pace": 0.1},
    "dialing": {"max_dials": 1},
    "services": {"llm": {"policy": POLICY, "fallback": {"model": "second", "policy": POLICY}}},
}


async def _with_a_dead_primary(folder: Path, *, back_after: int | None) -> Ended:
    """Run with a dead first model, which is back after so many calls."""
    outage = Outage({"llm"})
    async with faulty_sandbox(folder, outage), running(folder) as run:
        if back_after is not None:
            await run.until(lambda events: len(of(events, "call_changed", new="done")) > back_after)
            outage.down.clear()
        return await run.ended()


def _composers(folder: Path) -> list[str]:
    composed = of(journal(folder), "step_finished", step="compose")
    return [str(event["detail"]).removeprefix("composed by ") for event in composed]


def test_with_a_dead_primary_every_call_is_composed_by_the_second(tmp_path: Path) -> None:
    """Nobody waits for the first model: the second writes every call's opening."""
    write_contacts(tmp_path, PEOPLE)
    write_settings(tmp_path, SETTINGS)
    ended = asyncio.run(_with_a_dead_primary(tmp_path, back_after=None))

    assert (ended.code, ended.err) == (0, ""), ended.out
    assert _composers(tmp_path) == ["llm_fallback"] * PEOPLE
    assert status(tmp_path)["totals"]["done"] == PEOPLE


def test_once_the_primary_is_back_the_second_gets_nothing_more(tmp_path: Path) -> None:
    """After the first model's breaker has closed, every call is composed by it."""
    write_contacts(tmp_path, PEOPLE)
    write_settings(tmp_path, SETTINGS)
    ended = asyncio.run(_with_a_dead_primary(tmp_path, back_after=3))
    events = journal(tmp_path)
    closed = of(events, "breaker_changed", service="llm", new="closed")[-1]
    after = [
        event["detail"]
        for event in of(events, "step_finished", step="compose")
        if int(str(event["sequence"])) > int(str(closed["sequence"]))
    ]

    assert (ended.code, ended.err) == (0, ""), ended.out
    assert _composers(tmp_path)[0] == "llm_fallback"
    assert after
    assert set(after) == {"composed by llm"}
