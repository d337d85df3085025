"""The carrier without a wire, in virtual time."""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twin_helpers import CONVERSATIONS, ELEVENLABS_AUTH, NOON, SIP, always, dial_body
from wire_helpers import LIVE_COUNT, Scripted

from callagent_cli.clock import Clock
from callagent_cli.services.http import BrokenAnswer, NoAnswer, NotSent, Request, Response
from callagent_cli.simulation.carriers.action import WireAction
from callagent_cli.simulation.carriers.desk import Desk
from callagent_cli.simulation.carriers.in_process import InProcessHttp
from callagent_cli.simulation.twins.latency import constant
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.twins.personality import Ending
from callagent_cli.simulation.twins.roster import Roster
from callagent_cli.simulation.virtual.run import run_virtual


def get(path: str = LIVE_COUNT, timeout_s: float = 10.0) -> Request:
    """Return a GET with the key."""
    headers = {"XI-API-Key": ELEVENLABS_AUTH["xi-api-key"]}
    return Request(
        target="elevenlabs.health", method="GET", path=path, headers=headers, timeout_s=timeout_s
    )


def post_dial(path: str = SIP, timeout_s: float = 90.0) -> Request:
    """Return a dial."""
    return Request(
        target="elevenlabs.dial",
        method="POST",
        path=path,
        headers=ELEVENLABS_AUTH,
        body=msgspec.json.encode(dial_body()),
        timeout_s=timeout_s,
    )


class World:
    """One service in process: its ledger, faults and client."""

    def __init__(self, *actions: WireAction, roster: Roster | None = None) -> None:
        loop_time = asyncio.get_running_loop().time
        self.clock = Clock(loop_time, lambda: NOON + loop_time(), Random(7))
        self.ledger = Ledger()
        self.faults = Scripted(*actions)
        twin = (roster or Roster()).twins(self.ledger)["elevenlabs"]
        self.http = InProcessHttp(Desk(twin, self.ledger, self.faults), self.clock)

    async def timed(self, request: Request) -> tuple[Response | Exception, float]:
        """Return the answer or the error, and how long it took."""
        begun = self.clock.monotonic()
        try:
            result: Response | Exception = await self.http.send(request)
        except (NotSent, NoAnswer, BrokenAnswer) as error:
            result = error
        return result, self.clock.monotonic() - begun


def virtual(scenario: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 — what the scenario gives.
    """Run a scenario in virtual time."""
    return run_virtual(scenario, horizon_s=100_000.0)


def outcome(action: WireAction, request: Request) -> tuple[Response | Exception, float]:
    """Play one action on one request."""

    async def scenario() -> tuple[Response | Exception, float]:
        return await World(action).timed(request)

    result: tuple[Response | Exception, float] = virtual(scenario())
    return result


def test_a_request_is_answered_by_the_twin() -> None:
    """Header names are matched in any case, as HTTP does."""

    async def scenario() -> tuple[Response, list[str]]:
        world = World()
        return await world.http.send(get()), world.faults.targets

    response, targets = virtual(scenario())
    assert (response.status, response.body) == (200, b'{"count":0}')
    assert targets == ["elevenlabs.health"]


def test_the_answer_takes_the_time_the_twin_says() -> None:
    """A SIP trunk answers when the ringing ends, to the microsecond of virtual time."""

    async def scenario() -> tuple[float, float]:
        world = World(roster=Roster(personality=always(Ending.NO_ANSWER)))
        response, took_s = await world.timed(post_dial())
        assert isinstance(response, Response)
        conversation = msgspec.json.decode(response.body)["conversation_id"]
        shown = await world.http.send(get(f"{CONVERSATIONS}/{conversation}"))
        assert msgspec.json.decode(shown.body)["status"] == "failed"
        return took_s, world.ledger.placed()[0].at

    took_s, placed_at = virtual(scenario())
    assert 30 <= took_s <= 60
    assert placed_at == NOON


def test_a_phone_that_rings_longer_than_the_request_may_take_still_rings() -> None:
    """The client's timeout ends the request exactly then; the call stays placed."""

    async def scenario() -> tuple[Any, int]:
        world = World(roster=Roster(personality=always(Ending.NO_ANSWER)))
        return await world.timed(post_dial(timeout_s=20)), len(world.ledger.placed())

    (result, took_s), placed = virtual(scenario())
    assert isinstance(result, NoAnswer)
    assert (took_s, placed) == (20, 1)


@given(latency_s=st.floats(0, 100), delay_s=st.floats(0, 100), timeout_s=st.floats(0.1, 100))
def test_no_request_takes_longer_than_its_timeout(
    latency_s: float, delay_s: float, timeout_s: float
) -> None:
    """Either the whole latency passes and there is an answer, or the timeout and there is none."""

    async def scenario() -> tuple[Any, float]:
        roster = Roster(latencies={"elevenlabs": constant(latency_s)})
        return await World(WireAction(delay_s=delay_s), roster=roster).timed(get("/", timeout_s))

    result, took_s = virtual(scenario())
    if latency_s + delay_s < timeout_s:
        assert isinstance(result, Response)
        assert took_s == pytest.approx(latency_s + delay_s)
    else:
        assert isinstance(result, NoAnswer)
        assert took_s == pytest.approx(timeout_s)


@pytest.mark.parametrize(
    ("action", "error", "took_s"),
    [
        (WireAction(kind="hang"), NoAnswer, 10),
        (WireAction(kind="refuse"), NotSent, 0),
        (WireAction(kind="refuse", delay_s=2), NotSent, 2),
        (WireAction(kind="refuse", delay_s=20), NotSent, 10),
        (WireAction(kind="dns"), NotSent, 0),
        (WireAction(kind="blackhole"), NotSent, 10),
        (WireAction(kind="reset"), BrokenAnswer, 0),
        (WireAction(kind="reset", delay_s=3), BrokenAnswer, 3),
        (WireAction(kind="reset", delay_s=30), NoAnswer, 10),
        (WireAction(kind="truncate"), BrokenAnswer, 0),
        (WireAction(kind="garbage"), BrokenAnswer, 0),
        (WireAction(kind="empty"), BrokenAnswer, 0),
        (WireAction(kind="drip", drip_bytes=1, drip_every_s=1), NoAnswer, 10),
    ],
)
def test_each_fault_raises_what_the_network_would(
    action: WireAction, error: type[Exception], took_s: float
) -> None:
    """Every kind ends in its own error, after the time it takes."""
    result, took = outcome(action, get())

    assert type(result) is error
    assert took == took_s


def test_a_replaced_answer_and_a_fast_drip_are_answers() -> None:
    """A status of the fault's choice comes through; a drip that is done in time is whole."""
    answered, _ = outcome(
        WireAction(kind="answer", status=429, headers={"retry-after": "3"}), get()
    )
    dripped, took_s = outcome(WireAction(kind="drip", drip_bytes=4, drip_every_s=1), get())

    assert isinstance(answered, Response)
    assert (answered.status, answered.headers["retry-after"]) == (429, "3")
    assert isinstance(dripped, Response)
    assert (dripped.body, took_s) == (b'{"count":0}', 3)


def test_what_never_leaves_is_not_in_the_ledger() -> None:
    """The provider cannot know of a request that was refused at the door."""

    async def scenario() -> list[Any]:
        world = World(WireAction(kind="refuse"), WireAction(kind="hang"))
        await world.timed(get())
        await world.timed(get())
        return [(each.fault, each.status) for each in world.ledger.requests()]

    assert virtual(scenario()) == [("hang", 0)]


def test_a_stale_connection_breaks_the_request_that_reuses_it() -> None:
    """The first request opens a connection, the second finds it dead, the third opens another."""

    async def scenario() -> list[type[object]]:
        world = World(*[WireAction(kind="stale_keepalive")] * 3)
        return [type((await world.timed(get()))[0]) for _ in range(3)]

    assert virtual(scenario()) == [Response, BrokenAnswer, Response]


def test_a_delay_is_noted_as_latency() -> None:
    """The ledger tells a slow answer from an ordinary one."""

    async def scenario() -> list[tuple[str, int]]:
        world = World(WireAction(delay_s=1))
        await world.timed(get())
        await world.timed(get())
        return [(each.fault, each.status) for each in world.ledger.requests()]

    assert virtual(scenario()) == [("latency", 200), ("", 200)]


def test_a_closed_client_sends_nothing() -> None:
    """After closing, requests are refused without reaching the provider."""

    async def scenario() -> tuple[Any, int]:
        world = World()
        await world.http.close()
        return await world.timed(get()), len(list(world.ledger.requests()))

    (result, _), requests = virtual(scenario())
    assert isinstance(result, NotSent)
    assert requests == 0


def test_headers_of_the_client_go_with_every_request() -> None:
    """A key given to the client is sent along; a request's own header wins."""

    async def scenario() -> list[int]:
        world = World()
        desk = Desk(Roster().twins(world.ledger)["elevenlabs"], world.ledger)
        http = InProcessHttp(desk, world.clock, headers=ELEVENLABS_AUTH)
        plain = Request(target="elevenlabs.health", method="GET", path=LIVE_COUNT, timeout_s=1)
        wrong = Request(
            target="elevenlabs.health",
            method="GET",
            path=LIVE_COUNT,
            headers={"xi-api-key": "another"},
            timeout_s=1,
        )
        return [(await http.send(each)).status for each in (plain, wrong)]

    assert virtual(scenario()) == [200, 401]


@pytest.mark.parametrize(
    ("headers", "asked_s"),
    [
        ({"retry-after": "60"}, 60.0),
        ({"retry-after": "60", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "1000000"}, 86_400.0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_the_ledger_knows_what_an_answer_asked_for(
    headers: dict[str, str], asked_s: float | None
) -> None:
    """The judge reads from it when a service may be asked again, whatever the worker made of it."""

    async def scenario() -> tuple[float, float | None]:
        world = World(WireAction(kind="answer", status=503, delay_s=2.0, headers=headers))
        await world.http.send(get())
        noted = next(world.ledger.requests())
        return noted.after_s, noted.retry_after_s

    assert virtual(scenario()) == (2.0, asked_s)
