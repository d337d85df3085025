"""The screen stays whole whatever it is shown, and its failures never reach the worker."""

import asyncio
from dataclasses import replace

import pytest
from monitor_doubles import RecordingCommands
from monitor_scenes import NOW, SERVICES, Teller, attempts, healthy, incident
from monitor_stage import QUIET, Stage, play, stage

from callagent_cli.errors import StoreError
from callagent_cli.events import AttemptFinished, CallChanged, ContactsImported, RunStarted
from callagent_cli.monitor.app import MonitorApp
from callagent_cli.monitor.paint.plain import width
from callagent_cli.monitor.state import ViewState
from callagent_cli.monitor.verdict import Verdict

WIDE_NAME = "漢字" * 150
NASTY = "\x1b]0;owned\x07\x1b[31mred\r\n\u202egnirts\x9b2J[bold]markup[/bold]"


def _strange() -> ViewState:
    state = incident()
    teller = Teller(state)
    for number, name in enumerate((WIDE_NAME, NASTY, "e\u0301" * 300)):
        moved = CallChanged(
            call=f"strange_{number}", old="pending", new="active", step="dial", reason="", name=name
        )
        teller.tell(1, moved)
    failed = AttemptFinished(
        service=NASTY,
        operation="x.y",
        outcome="unavailable",
        duration_s=1.0,
        error_message=NASTY * 50,
        request_id=WIDE_NAME,
    )
    teller.tell(1, failed)
    return state


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (200, 60)])
def test_foreign_text_cannot_break_the_screen(size: tuple[int, int]) -> None:
    """Escape sequences, markup and 300 wide characters change neither the width nor the frame."""

    async def act(ready: Stage) -> None:
        await ready.press("end", "d", "3")
        await ready.paint()
        shown = ready.text()
        lines = shown.splitlines()
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert len(lines) == size[1]
        assert all(width(line) <= size[0] for line in lines)
        await ready.press("y")
        assert "\x1b" not in ready.app.clipboard

    play(act, _strange(), size)


def test_shrinking_to_one_cell_and_back_restores_the_screen() -> None:
    """1×1 says nothing and breaks nothing; the old size shows the old text again."""

    async def act(ready: Stage) -> None:
        before = ready.text()
        for size in ((1, 1), (30, 5), (59, 15), (200, 60), (80, 24)):
            await ready.pilot.resize_terminal(*size)
            await ready.paint()
            assert len(ready.text().splitlines()) == size[1]
        assert ready.text() == before

    play(act)


def test_keys_on_a_terminal_that_is_too_small_break_nothing() -> None:
    """Every panel is hidden, and still no key makes the screen fail."""

    async def act(ready: Stage) -> None:
        await ready.press("j", "tab", "d", "z", "4", "slash", "x", "escape", "question_mark")
        assert ready.app.crash is None

    play(act, "incident", (20, 5))


def test_ten_thousand_calls_are_shown_in_part() -> None:
    """A run of 10,000 calls paints its first rows, and the totals are complete."""
    state = ViewState(SERVICES)
    teller = Teller(state)
    imported = ContactsImported(
        file="c.csv", accepted=10_000, known=0, duplicate=0, rejected=0, excluded=0, blank=0
    )
    teller.tell(20, imported)
    teller.tell(20, RunStarted(mode="sandbox", contacts="c.csv", lanes=1000, version="1"))
    for number in range(10_000):
        new = "active" if number % 10 == 0 else "done"
        teller.move(10, f"call_{number}", "pending", new)

    async def act(ready: Stage) -> None:
        assert "9,000/10,000" in ready.text()
        assert "1,000 of 1,000 lanes" in ready.text()
        await ready.press("3", "end", "home", "pagedown")
        assert ready.app.crash is None

    play(act, state)


def test_a_store_that_cannot_be_read_is_said_until_it_can() -> None:
    """The verdict turns to LOST with the reason, and back when the store is there again."""

    class Moody:
        """A feed that fails when told to."""

        broken = False

        def pull(self, state: ViewState) -> None:
            """Fail, or count an event."""
            if self.broken:
                raise StoreError("the database is gone")
            state.events += 1

    feed = Moody()

    async def act(ready: Stage) -> None:
        feed.broken = True
        await ready.paint()
        assert "LOST  the database is gone" in ready.text()
        feed.broken = False
        await ready.paint()
        assert "RUNNING" in ready.text()

    play(act, "healthy", (80, 24), replace(QUIET, feed=feed))


class Broken(ViewState):
    """A state whose verdict fails the fourth time somebody asks."""

    asked = 0

    def verdict(self, now_s: float) -> Verdict:
        """Fail at the fourth question."""
        self.asked += 1
        if self.asked > 3:
            raise RuntimeError("planted failure")
        return super().verdict(now_s)


def test_a_crash_of_the_screen_ends_only_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    """A failed screen returns, names its report in one line, and the worker's task goes on."""
    reported: list[str] = []

    def report(error: BaseException) -> str:
        reported.append(str(error))
        return "logs/crash.txt"

    async def run() -> None:
        ended = asyncio.Event()
        worker = asyncio.create_task(ended.wait())
        options = replace(QUIET, report_crash=report, paint_every_s=0.01)
        app = MonitorApp(Broken(SERVICES), RecordingCommands(), lambda: NOW, options)
        left = await app.run_async(headless=True, size=(80, 24))

        assert left is None
        assert app.return_code == 1
        assert isinstance(app.crash, RuntimeError)
        assert not worker.done()
        ended.set()
        assert await worker

    asyncio.run(run())
    printed = capsys.readouterr().err
    assert reported == ["planted failure"]
    assert printed.strip() == "error: the screen failed; the run goes on. Report: logs/crash.txt"


def test_only_what_changed_is_painted() -> None:
    """10,000 events cost one paint, and a paint without a change touches no line."""

    async def act(ready: Stage) -> None:
        await ready.paint()
        painted = sum(canvas.repainted for canvas in ready.app.canvases())
        for stamped in attempts(10_000):
            ready.app.state.fold(stamped)
        assert sum(canvas.repainted for canvas in ready.app.canvases()) == painted
        await ready.paint()
        once = sum(canvas.repainted for canvas in ready.app.canvases()) - painted
        assert 0 < once <= 40
        await ready.paint()
        assert sum(canvas.repainted for canvas in ready.app.canvases()) == painted + once

    play(act, "healthy", (120, 40))


def test_a_second_screen_can_follow_a_first() -> None:
    """After one screen is closed, another shows the same state: a crashed one can be replaced."""

    async def run() -> None:
        state = healthy()
        async with stage(state) as first:
            before = first.text()
        async with stage(state) as second:
            assert second.text() == before

    asyncio.run(run())
    assert healthy().verdict(NOW).word == "RUNNING"


class FullFeed:
    """Brings a hundred attempts at the first paint, and what its queue had no room for."""

    def __init__(self) -> None:
        self.events = list(attempts(100))

    def pull(self, state: ViewState) -> None:
        """Fold what has come in."""
        while self.events:
            state.fold(self.events.pop(0))
            state.dropped["screen"] = 50


def test_a_feed_is_folded_before_a_paint_and_says_what_it_lost() -> None:
    """Events from elsewhere are in the first picture; what did not fit is counted in its head."""

    async def act(ready: Stage) -> None:
        assert ready.app.state.events == 100
        assert "50 events lost" in ready.text()

    play(act, ViewState(SERVICES), (80, 24), replace(QUIET, feed=FullFeed()))


def test_the_screen_leaves_the_workers_tasks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks of the loop begin when the loop takes them up, whatever Textual would rather have."""

    def eager(loop: asyncio.AbstractEventLoop, work: object, **options: object) -> object:
        raise AssertionError(f"{loop} {work} {options}")

    monkeypatch.setattr(asyncio, "eager_task_factory", eager, raising=False)
    factories: list[object] = []

    async def run() -> None:
        app = MonitorApp(healthy(), RecordingCommands(), lambda: NOW, QUIET)

        async def look(_pilot: object) -> None:
            factories.append(asyncio.get_running_loop().get_task_factory())
            app.exit("closed")

        assert await app.run_async(headless=True, size=(80, 24), auto_pilot=look) == "closed"

    asyncio.run(run())
    assert factories == [None]
