"""The twins' ledger: what it knows, and what it still knows after a crash."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twin_helpers import ANA, BEN, NOON, dial, elevenlabs, show

from callagent_cli.errors import StoreError
from callagent_cli.simulation.twins.durable_ledger import DurableLedger, read_ledger_file
from callagent_cli.simulation.twins.ledger import Ledger, PlacedCall, ReceivedRequest
from callagent_cli.simulation.twins.personality import Ending


def request(sequence: int, service: str = "llm", *, at: float = NOON) -> ReceivedRequest:
    """Return a request as a carrier notes it."""
    return ReceivedRequest(
        sequence=sequence,
        at=at,
        service=service,
        target=f"{service}.health",
        method="GET",
        route="/v1/models",
        status=200,
    )


def call(conversation: str, number: str = ANA, call_id: str = "call_1") -> PlacedCall:
    """Return a call as the voice platform notes it."""
    return PlacedCall(
        conversation=conversation, number=number, call_id=call_id, attempt_id="dial_1", at=NOON
    )


def fill(ledger: Ledger) -> None:
    """Write three requests, two calls and a document that is replaced."""
    for sequence, service in enumerate(("llm", "crm", "llm"), 1):
        ledger.record(request(sequence, service, at=NOON + sequence))
    ledger.place(call("conv_1"))
    ledger.place(call("conv_2", BEN, "call_2"))
    ledger.keep("crm_call", "1", b"draft")
    ledger.keep("crm_call", "2", b"other")
    ledger.keep("crm_call", "1", b"final")


def contents(ledger: Ledger) -> tuple[object, ...]:
    """Return everything a ledger knows."""
    return list(ledger.requests()), ledger.placed(), ledger.kept("crm_call"), ledger.totals()


def test_requests_are_found_by_service_route_and_time() -> None:
    """Filters narrow; the beginning of a range is included, its end is not."""
    ledger = Ledger()
    fill(ledger)

    def sequences(service: str = "", route: str = "", **times: float) -> list[int]:
        return [each.sequence for each in ledger.requests(service, route, **times)]

    assert sequences() == [1, 2, 3]
    assert sequences("llm") == [1, 3]
    assert sequences("llm", "/v1/nothing") == []
    assert sequences(since=NOON + 2) == [2, 3]
    assert sequences(until=NOON + 2) == [1]
    assert ledger.next_sequence == 4


def test_calls_are_found_by_number_and_by_call() -> None:
    """Who was rung, how often and for which call can be asked."""
    ledger = Ledger()
    fill(ledger)

    placed = [(each.conversation, each.number, each.call_id) for each in ledger.placed()]
    assert placed == [("conv_1", ANA, "call_1"), ("conv_2", BEN, "call_2")]
    assert (ledger.times_rung(ANA), ledger.times_rung("+12125550199")) == (1, 0)
    assert ledger.totals() == {"placed": 2, "llm": 2, "crm": 1}


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    """A ledger opened again on the same file knows what the first one did, in its order."""
    file = tmp_path / "sandbox" / "sandbox.db"
    ledger, memory = DurableLedger(file), Ledger()
    fill(ledger)
    fill(memory)
    ledger.close()
    again = DurableLedger(file)

    assert contents(again) == contents(memory)
    assert again.kept("crm_call") == [("1", b"final"), ("2", b"other")]
    again.close()


def test_a_reader_sees_what_is_durable_while_the_writer_goes_on(tmp_path: Path) -> None:
    """Nothing is seen before `durable` returns, everything after."""
    file = tmp_path / "sandbox.db"

    async def scenario() -> None:
        ledger = DurableLedger(file)
        fill(ledger)
        assert read_ledger_file(file).placed() == []
        await asyncio.gather(ledger.durable(), ledger.durable())
        assert contents(read_ledger_file(file)) == contents(ledger)
        await ledger.durable()
        ledger.close()

    asyncio.run(scenario())


def test_what_one_turn_notes_is_committed_together(tmp_path: Path) -> None:
    """Many requests waiting in one turn of the loop cost one transaction."""

    async def scenario() -> list[str]:
        ledger = DurableLedger(tmp_path / "sandbox.db")
        statements: list[str] = []
        ledger._database.set_trace_callback(statements.append)

        async def one(sequence: int) -> None:
            ledger.record(request(sequence))
            await ledger.durable()

        await asyncio.gather(*(one(sequence) for sequence in range(1, 20)))
        ledger.close()
        return statements

    assert asyncio.run(scenario()).count("COMMIT") == 1


def test_an_effect_waits_for_the_disk_and_a_plain_request_does_not(tmp_path: Path) -> None:
    """Placed calls are committed with `synchronous=FULL`, plain requests with `NORMAL`."""
    ledger = DurableLedger(tmp_path / "sandbox.db")

    def synchronous() -> int:
        level: int = ledger._database.execute("PRAGMA synchronous").fetchone()[0]
        return level

    ledger.record(request(1))
    ledger.commit()
    after_request = synchronous()
    ledger.place(call("conv_1"))
    ledger.commit()
    after_effect = synchronous()
    ledger.close()

    assert (after_request, after_effect) == (1, 2)


def test_a_commit_that_fails_reaches_whoever_waits_and_loses_nothing(tmp_path: Path) -> None:
    """The error is raised to the waiting answer; once the cause is gone everything is written."""
    file = tmp_path / "sandbox.db"

    async def scenario() -> None:
        ledger = DurableLedger(file)
        ledger._database.execute("ALTER TABLE placed RENAME TO hidden")
        fill(ledger)
        with pytest.raises(StoreError):
            await ledger.durable()
        ledger._database.execute("ALTER TABLE hidden RENAME TO placed")
        await ledger.durable()
        assert contents(read_ledger_file(file)) == contents(ledger)
        ledger.close()

    asyncio.run(scenario())


def test_no_file_is_an_empty_ledger(tmp_path: Path) -> None:
    """Reading where no sandbox ever ran, or one is just being made, gives an empty ledger."""
    absent, empty = tmp_path / "absent.db", tmp_path / "empty.db"
    empty.touch()

    assert list(read_ledger_file(absent).requests()) == []
    assert read_ledger_file(empty).placed() == []
    assert not absent.exists()


def test_calls_go_on_where_they_stood(tmp_path: Path) -> None:
    """A twin made from the file knows the calls of the one before, and counts its dials."""
    file = tmp_path / "sandbox.db"
    first_ledger = DurableLedger(file)
    before = elevenlabs(Ending.ANSWERED, ledger=first_ledger)
    conversation = dial(before)["conversation_id"]
    shown = [show(before, conversation, NOON + each) for each in (0, 30, 600)]
    first_ledger.commit()
    os.link(file, tmp_path / "second.db")
    os.link(f"{file}-wal", tmp_path / "second.db-wal")
    second_ledger = DurableLedger(tmp_path / "second.db")
    after = elevenlabs(Ending.BUSY, ledger=second_ledger)

    assert [show(after, conversation, NOON + each) for each in (0, 30, 600)] == shown
    assert second_ledger.times_rung(ANA) == 1
    second_ledger.close()
    first_ledger.close()


@given(
    numbers=st.lists(st.sampled_from([ANA, BEN]), max_size=20),
    reopened_after=st.integers(0, 20),
)
def test_a_restart_changes_no_call(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[str], reopened_after: int
) -> None:
    """Dials before and after a restart give the calls that one long run gives."""
    file = tmp_path_factory.mktemp("ledger") / "sandbox.db"
    straight = elevenlabs()
    expected = [dial(straight, number)["conversation_id"] for number in numbers]
    found: list[str] = []
    for part in (numbers[:reopened_after], numbers[reopened_after:]):
        ledger = DurableLedger(file)
        twin = elevenlabs(ledger=ledger)
        found += [dial(twin, number)["conversation_id"] for number in part]
        ledger.close()

    assert found == expected
