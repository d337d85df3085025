"""Attached to a worker in another process: what it does is seen, and it obeys within 500 ms."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from command_line import (
    journal,
    kill,
    place_in,
    started,
    status,
    until,
    write_contacts,
    write_settings,
)
from screens import latest_toast, screen_text
from textual.pilot import Pilot

from callagent_cli.cli.screen.attach import StoreFeed
from callagent_cli.cli.screen.attached import attached_app
from callagent_cli.clock import utc_text
from callagent_cli.monitor.app import MonitorApp
from callagent_cli.monitor.ports import Options

PEOPLE: Final = 30
OBEYED_WITHIN_S: Final = 0.5
SLOW: Final[dict[str, Any]] = {"sandbox": {"pace": 1.0}, "dialing": {"max_dials": 1}}


@contextmanager
def worker_in(folder: Path) -> Iterator[Any]:
    """Run a slow campaign in a process of its own; calls are in flight when this yields."""
    write_settings(folder, SLOW)
    write_contacts(folder, PEOPLE)
    with started("run", "contacts.csv", "--lanes", "2", "--headless", folder=folder) as process:
        until(lambda: any(each["event"] == "step_started" for each in journal(folder)), "a step")
        yield process


def attached(
    folder: Path, act: Callable[[MonitorApp, Pilot[Any]], Awaitable[None]], campaign: str = ""
) -> None:
    """Run one act on a screen that is attached to whatever runs in a folder."""

    async def run() -> None:
        app = attached_app(place_in(folder), campaign, Options(paint_every_s=None))
        try:
            async with app.run_test(size=(120, 40)) as pilot:
                await pilot.pause()
                await act(app, pilot)
        finally:
            assert isinstance(app.options.feed, StoreFeed)
            app.options.feed.close()

    asyncio.run(run())


async def shows(app: MonitorApp, condition: Callable[[], bool], within_s: float = 10.0) -> None:
    """Let the screen paint until something is true."""
    until_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until_s, app.state.verdict(time.time())
        await asyncio.sleep(0.02)
        app.paint()


def word(app: MonitorApp) -> str:
    """Return the verdict's word."""
    return app.state.verdict(time.time()).word


def obeyed_after_s(folder: Path, command: str, asked_utc_s: float) -> float:
    """Wait until the worker has obeyed, and return how long after the key was pressed."""

    def found() -> list[str]:
        return [
            each["time"]
            for each in journal(folder)
            if each["event"] == "command_obeyed"
            and each["command"] == command
            and each["time"] >= utc_text(asked_utc_s)
        ]

    until(lambda: bool(found()), f"`{command}` obeyed")
    return datetime.fromisoformat(found()[0]).timestamp() - asked_utc_s


def test_the_screen_shows_what_the_other_process_does(tmp_path: Path) -> None:
    """Calls, their steps, the services' traffic and the totals of another process are seen."""

    async def act(app: MonitorApp, _pilot: Pilot[Any]) -> None:
        state = app.state
        await shows(app, lambda: state.services["elevenlabs"].window(time.time()).attempts > 0)
        await shows(
            app, lambda: any(call.step == "follow" for call in state.calls.in_flight.values())
        )
        assert word(app) == "RUNNING"
        assert state.campaign == "contacts"
        assert state.calls.contacts == PEOPLE
        assert 1 <= state.calls.working <= 2
        await shows(app, lambda: state.calls.totals["done"] > 0)
        assert state.calls.contacts == PEOPLE

    with worker_in(tmp_path):
        attached(tmp_path, act)


def test_the_worker_elsewhere_obeys_within_half_a_second(tmp_path: Path) -> None:
    """Each key that is a command is obeyed within 500 ms of being pressed."""
    late: dict[str, float] = {}

    async def act(app: MonitorApp, pilot: Pilot[Any]) -> None:
        await shows(app, lambda: word(app) == "RUNNING")
        for keys, command in (
            (("p",), "pause"),
            (("p",), "resume"),
            (("t", "y"), "trip"),
            (("r",), "reset"),
            (("h",), "check"),
            (("plus",), "lanes"),
            (("u", "y"), "requeue"),
            (("m",), "mute"),
            (("s", "y"), "drain"),
        ):
            await pilot.press(*keys[:-1])
            asked_utc_s = time.time()
            await pilot.press(keys[-1])
            late[command] = await asyncio.to_thread(obeyed_after_s, tmp_path, command, asked_utc_s)
            await shows(app, lambda: True)
            await asyncio.sleep(0.3)
            app.paint()

    with worker_in(tmp_path):
        attached(tmp_path, act)

    assert len(late) == 9
    assert {command: s for command, s in late.items() if s > OBEYED_WITHIN_S} == {}


def test_stop_now_ends_the_worker_elsewhere_at_once(tmp_path: Path) -> None:
    """It ends as after a second Ctrl-C: with 130, and its calls left to the next run."""

    async def act(app: MonitorApp, pilot: Pilot[Any]) -> None:
        await shows(app, lambda: app.state.calls.working > 0)
        await pilot.press("q", "s")
        assert app.return_value == "stopped"
        assert await asyncio.to_thread(process.wait, 10.0) == 130

    with worker_in(tmp_path) as process:
        attached(tmp_path, act)
    left = status(tmp_path)
    obeyed = [each for each in journal(tmp_path) if each["event"] == "command_obeyed"]

    assert (left["verdict"]["word"], left["run"]["exit_code"]) == ("STOPPED", 130)
    assert sum(left["totals"].values()) == PEOPLE
    assert left["totals"].get("done", 0) < PEOPLE
    assert [(each["command"], bool(each["by"])) for each in obeyed] == [("stop", True)]


def test_commands_come_back_to_the_screen(tmp_path: Path) -> None:
    """A pause from here is shown with who asked for it, and ends when it is lifted."""

    async def act(app: MonitorApp, pilot: Pilot[Any]) -> None:
        await shows(app, lambda: word(app) == "RUNNING")
        await pilot.press("p")
        await shows(app, lambda: word(app) == "PAUSED")
        assert app.state.verdict(time.time()).detail.startswith("by ")
        await pilot.press("p")
        await shows(app, lambda: word(app) == "RUNNING")
        await pilot.press("plus")
        await shows(app, lambda: app.state.lanes == 3)
        await asyncio.sleep(1.2)  # The next heartbeat must not bring the old number back.
        app.paint()
        assert app.state.lanes == 3

    with worker_in(tmp_path):
        attached(tmp_path, act)


def test_a_killed_worker_is_lost_and_its_successor_found(tmp_path: Path) -> None:
    """After a kill the screen says LOST within seconds; the next worker is followed by itself."""

    async def act(app: MonitorApp, pilot: Pilot[Any]) -> None:
        await shows(app, lambda: word(app) == "RUNNING")
        await asyncio.to_thread(kill, process)
        killed_s = time.monotonic()
        await shows(app, lambda: word(app) == "LOST")
        assert time.monotonic() - killed_s < 5.0
        assert f"pid {process.pid}" in app.state.verdict(time.time()).detail
        await pilot.press("p")
        assert latest_toast(app) == "not possible: no worker runs"
        with started("run", "contacts.csv", "--headless", folder=tmp_path):
            await shows(app, lambda: word(app) == "RUNNING")
        assert app.state.calls.contacts == PEOPLE

    with worker_in(tmp_path) as process:
        attached(tmp_path, act)


def test_a_database_that_disappears_is_said(tmp_path: Path) -> None:
    """The screen stays whole without its database, and says what is wrong."""

    async def act(app: MonitorApp, pilot: Pilot[Any]) -> None:
        database = tmp_path / ".callagent" / "sandbox.db"
        await shows(app, lambda: word(app) == "RUNNING")
        database.rename(database.with_suffix(".gone"))
        await shows(app, lambda: word(app) == "LOST")
        assert "sandbox.db" in app.state.verdict(time.time()).detail
        await pilot.press("p")
        assert app.crash is None
        assert app.is_running

    with worker_in(tmp_path):
        attached(tmp_path, act)


def test_with_nothing_ever_run_the_screen_says_what_to_do(tmp_path: Path) -> None:
    """An empty folder shows how to begin, and no key asks anything of nobody."""

    async def act(app: MonitorApp, pilot: Pilot[Any]) -> None:
        assert word(app) == "IDLE"
        text = screen_text(app)
        assert "nothing has run yet" in text
        assert "callagent run contacts.csv" in text
        await pilot.press("p")
        assert latest_toast(app) == "not possible: no worker runs"
        await pilot.press("q")
        assert app.return_value == "closed"

    attached(tmp_path, act)
