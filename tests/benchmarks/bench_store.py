"""How fast the store is: `python tests/benchmarks/bench_store.py [--rows N]`; asserts nothing.

1. Lanes: 50 of them work calls of four durable transitions each, with group commit and, in the
   same rounds, with a commit for each transition. The ratio is what group commit is worth.
2. Size: adding calls, claiming and counting among a million of them.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from callagent_cli.calls.model import Call, CallState, Contact, Dial, DialStatus, Step
from callagent_cli.store.port import Campaign, Claim
from callagent_cli.store.sqlite_store import SqliteStore

LANES = 50
CAMPAIGN = Campaign(name="spring", source="contacts.csv", source_sha256="", created_utc_s=0.0)
VARIABLES = {"company": "Example Ltd", "product": "a value that is handed to the agent"}
SCRIPT = {"compose": {"script": "Hello, this is a short script for the agent to speak."}}


def calls(count: int) -> Iterator[Call]:
    """Yield calls as an import makes them, ids in random order; extensions tell people apart."""
    for line in range(count):
        yield Call(
            id=f"call_{line * 0x9E3779B97F4A7C15 % 2**64:016x}",
            campaign="spring",
            contact=Contact(
                line=line,
                number="+12125550100",
                extension=str(line),
                name="Jane Example",
                variables=VARIABLES,
            ),
        )


async def work(store: SqliteStore, call: Call) -> None:
    """Take one call through its four durable transitions."""
    call = call.evolve(state=CallState.ACTIVE, updated_utc_s=1.0)
    store.save_call(call)
    await store.durable()
    call = call.evolve(step=Step.DIAL, results=SCRIPT, dials=1, updated_utc_s=2.0)
    dial = Dial(
        id=f"dial_{call.id}",
        call=call.id,
        number=call.contact.number,
        status=DialStatus.INTENT,
        intended_utc_s=2.0,
    )
    store.save_call(call)
    store.save_dial(dial)
    await store.durable()
    call = call.evolve(step=Step.FOLLOW, conversation=f"conv_{call.id}", updated_utc_s=3.0)
    store.save_call(call)
    await store.durable()
    store.save_call(call.evolve(state=CallState.DONE, result="answered", updated_utc_s=4.0))
    await store.durable()


async def work_all(store: SqliteStore, todo: list[Call], *, each_alone: bool) -> float:
    """Work all calls in lanes; return calls a second."""
    waiting = iter(todo)

    async def lane() -> None:
        for call in waiting:
            await work(store, call)

    if each_alone:
        store.durable = lambda: commit_alone(store)  # type: ignore[method-assign]
    started_s = time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(LANES)))
    return len(todo) / (time.perf_counter() - started_s)


async def commit_alone(store: SqliteStore) -> None:
    """Commit for this transition only, and let the next lane go on."""
    store.flush()
    await asyncio.sleep(0)


def lanes_round(count: int, *, each_alone: bool) -> float:
    """Return calls a second of one round on a fresh database."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore.open(Path(folder) / "bench.db")
        store.save_campaign(CAMPAIGN)
        todo = list(calls(count))
        store.add_calls(todo)
        store.flush()
        rate = asyncio.run(work_all(store, todo, each_alone=each_alone))
        store.close()
    return rate


def bench_lanes(rounds: int) -> None:
    """Print calls a second with group commit beside a commit for each transition."""
    grouped, alone = [], []
    for _ in range(rounds):
        grouped.append(lanes_round(10_000, each_alone=False))
        alone.append(lanes_round(1_000, each_alone=True))
    fast, slow = statistics.median(grouped), statistics.median(alone)
    print(f"group commit          {fast:9.0f} calls/s  ({LANES} lanes, 4 durable transitions)")
    print(f"commit per transition {slow:9.0f} calls/s")
    print(f"ratio                 {fast / slow:9.1f}")


def median_ms(action: Callable[[], object], times: int = 21) -> float:
    """Return the median duration of an action in milliseconds."""
    durations_s = []
    for _ in range(times):
        started_s = time.perf_counter()
        action()
        durations_s.append(time.perf_counter() - started_s)
    return statistics.median(durations_s) * 1000


def bench_size(rows: int) -> None:
    """Print what claims and counts cost among many rows."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore.open(Path(folder) / "bench.db")
        store.save_campaign(CAMPAIGN)
        started_s = time.perf_counter()
        store.add_calls(calls(rows))
        store.flush()
        print(f"add {rows} calls {time.perf_counter() - started_s:12.2f} s")
        settle(store, rows)
        for state in (CallState.PENDING, CallState.PARKED, CallState.SCHEDULED):
            claim = Claim(
                campaign="spring",
                state=state,
                due_utc_s=1e6,
                waits_for="llm" if state is CallState.PARKED else "",
            )
            early = Claim(campaign="spring", state=state, due_utc_s=1.0, waits_for=claim.waits_for)
            record = Claim(
                campaign="spring", state=state, due_utc_s=1e6, steps=frozenset({Step.RECORD})
            )
            print(
                f"claim {state.value:10} {median_ms(lambda c=claim: store.first_call(c)):8.3f} ms"  # type: ignore[misc]
                f"  not due {median_ms(lambda c=early: store.first_call(c)):8.3f} ms"  # type: ignore[misc]
                f"  none at step {median_ms(lambda c=record: store.first_call(c)):8.3f} ms"  # type: ignore[misc]
            )
        print(f"next_due         {median_ms(lambda: store.next_due('spring')):8.3f} ms")
        print(f"totals           {median_ms(lambda: store.totals('spring')):8.3f} ms")
        print(f"waiting          {median_ms(lambda: store.waiting('spring')):8.3f} ms")
        print(f"results          {median_ms(lambda: store.results('spring')):8.3f} ms")
        store.close()


def settle(store: SqliteStore, rows: int) -> None:
    """Give every tenth call another state, half of them due far in the future."""
    for number, call in enumerate(calls(rows)):
        if number % 10 == 1:
            store.save_call(
                call.evolve(
                    state=CallState.PARKED,
                    waits_for="llm",
                    parked_utc_s=float(number),
                    due_utc_s=100.0 + number,
                )
            )
        elif number % 10 == 2:
            store.save_call(call.evolve(state=CallState.SCHEDULED, due_utc_s=100.0 + number))
        elif number % 10 == 3:
            store.save_call(call.evolve(state=CallState.DONE, result="answered"))
    store.flush()


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    bench_lanes(options.rounds)
    bench_size(options.rows)


if __name__ == "__main__":
    main()
