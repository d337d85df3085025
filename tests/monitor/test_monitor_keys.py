"""Every key does what the help says, asks before what is hard to undo, and says why it cannot."""

import asyncio
from dataclasses import replace
from itertools import chain

import pytest
from monitor_doubles import RecordingCommands, RecordingPace
from monitor_scenes import NOW, SCENES, healthy, incident
from monitor_stage import QUIET, Stage, play

from callagent_cli.events import BreakerChanged, RunEnded, Stamped
from callagent_cli.monitor.app import MonitorApp
from callagent_cli.monitor.keys import KEYS, Key, bindings
from callagent_cli.monitor.widgets.dialogs import Question

KEY_NAMES = [(key, name) for key in KEYS for name in key.keys.split(",")]


class Listening(MonitorApp):
    """Remembers which actions its keys start, and does nothing."""

    started: list[str]

    async def run_action(self, action: object, *_: object, **__: object) -> bool:
        """Remember the action."""
        self.started.append(str(action))
        return True


def test_each_key_starts_its_action() -> None:
    """Each name of each key in the table reaches the action that the table says."""

    async def run() -> None:
        app = Listening(SCENES["incident"](), RecordingCommands(), lambda: NOW, QUIET)
        app.started = []
        async with app.run_test(size=(80, 24)) as pilot:
            for key, name in KEY_NAMES:
                await pilot.press(name)
                assert app.started[-1].removeprefix("app.") == key.action, name
        assert len(app.started) == len(KEY_NAMES)

    asyncio.run(run())


def test_each_action_exists() -> None:
    """No key of the table leads nowhere."""
    for key in KEYS:
        assert hasattr(MonitorApp, f"action_{key.action.partition('(')[0]}"), key.action


def test_bindings_are_unique_and_named() -> None:
    """No key is bound twice, and each binding has an id of its own and an explanation."""
    names = list(chain.from_iterable(key.keys.split(",") for key in KEYS))
    ids = [binding.id for binding in bindings()]
    assert len(names) == len(set(names))
    assert len(ids) == len(set(ids))
    assert all(binding.tooltip for binding in bindings())


def test_pause_key_pauses_and_then_resumes() -> None:
    """P pauses a running campaign and resumes a paused one."""

    async def act(ready: Stage) -> None:
        await ready.press("p")
        assert ready.commands.asked[-1] == (
            ("resume",) if ready.app.state.paused is not None else ("pause",)
        )
        assert "asked:" in ready.said()

    play(act, "healthy")
    play(act, "paused")


@pytest.mark.parametrize(
    ("key", "answer", "wish"),
    [
        ("t", "y", ("trip", "elevenlabs")),
        ("s", "y", ("drain",)),
        ("u", "y", ("requeue", "elevenlabs")),
        ("A", "y", ("acknowledge", "all")),
    ],
)
def test_what_is_hard_to_undo_asks_first(key: str, answer: str, wish: tuple[str, ...]) -> None:
    """The question names the consequence; esc changes nothing, the answer asks the worker."""

    async def act(ready: Stage) -> None:
        await ready.press(key)
        assert isinstance(ready.app.screen, Question)
        assert len(ready.app.screen.consequence) > 30
        await ready.press("escape")
        assert ready.commands.asked == []
        await ready.press(key, answer)
        assert ready.commands.asked == [wish]

    state = incident()
    tripped = state.services["elevenlabs"]
    assert tripped.breaker == "open"
    play(act, state)


@pytest.mark.parametrize(
    ("key", "wish"),
    [
        ("r", ("reset", "elevenlabs")),
        ("h", ("check", "elevenlabs")),
        ("m", ("mute", "elevenlabs")),
        ("a", ("acknowledge", "alert_4")),
        ("plus", ("lanes", "1")),
        ("minus", ("lanes", "-1")),
    ],
)
def test_what_is_easily_undone_happens_at_once(key: str, wish: tuple[str, ...]) -> None:
    """These keys ask the worker without a question and say what was asked."""

    async def act(ready: Stage) -> None:
        await ready.press(key)
        assert ready.commands.asked == [wish]
        assert " ".join(wish) in ready.said()

    play(act)


def test_breaker_keys_act_on_the_selected_row() -> None:
    """After moving down, the next service is meant."""

    async def act(ready: Stage) -> None:
        await ready.press("j", "h", "down", "h", "k", "h")
        services = [wish[1] for wish in ready.commands.asked]
        assert services == ["llm", "crm", "llm"]

    play(act)


def test_breaker_keys_act_on_the_selected_alert() -> None:
    """In the alerts panel the service of the selected alert is meant."""

    async def act(ready: Stage) -> None:
        await ready.press("4", "end", "h")
        assert ready.commands.asked == [("check", "llm")]

    play(act)


def test_reset_of_a_closed_breaker_says_why_it_does_nothing() -> None:
    """There is nothing to reset, and the worker is not bothered."""

    async def act(ready: Stage) -> None:
        await ready.press("r")
        assert ready.commands.asked == []
        assert ready.said() == "the elevenlabs breaker is closed: nothing to reset"

    play(act, "healthy")


def test_trip_of_an_isolated_breaker_says_so() -> None:
    """A breaker that is isolated is not isolated again."""
    state = healthy()
    isolated = BreakerChanged(
        service="elevenlabs", old="closed", new="isolated", reason="401", owner="unauthorized"
    )
    state.fold(Stamped(NOW - 1, 1.0, 9999, "run_1", "spring", isolated))

    async def act(ready: Stage) -> None:
        await ready.press("t")
        assert ready.said() == "elevenlabs is isolated already; r resets it"
        assert "ISOLATED" in ready.text()
        assert "needs you" in ready.text()

    play(act, state)


@pytest.mark.parametrize("key", [key for key in KEYS if key.command], ids=lambda key: key.action)
def test_a_refused_key_says_why(key: Key) -> None:
    """A key the worker refuses shows the reason and changes nothing."""

    async def act(ready: Stage) -> None:
        assert key.command is not None
        ready.commands.refusals[key.command] = "this is a copy"
        await ready.press(key.keys.split(",")[0])
        assert ready.commands.asked == []
        assert ready.said() == "not possible: this is a copy"

    play(act)


@pytest.mark.parametrize("name", ["full_stop", "less_than_sign", "greater_than_sign"])
def test_rehearsal_keys_say_why_without_a_rehearsal(name: str) -> None:
    """Step and speed need a rehearsal that is being watched."""

    async def act(ready: Stage) -> None:
        await ready.press(name)
        assert "only in a rehearsal" in ready.said()

    play(act)


def test_rehearsal_keys_set_the_pace() -> None:
    """Space holds time and lets it go, a dot steps, the angle brackets change the speed."""
    pace = RecordingPace()

    async def act(ready: Stage) -> None:
        await ready.press("space")
        assert pace.held
        assert "time held" in ready.text()
        await ready.press("full_stop", "greater_than_sign", "greater_than_sign", "less_than_sign")
        assert (pace.steps, pace.speed) == (1, 20.0)
        assert "20x" in ready.text()
        await ready.press("space")
        assert not pace.held

    play(act, "simulation", (80, 24), replace(QUIET, pace=pace))


def test_a_wish_that_cannot_be_passed_on_is_shown_as_an_error() -> None:
    """A broken database makes a toast with its hint, not a crash."""

    async def act(ready: Stage) -> None:
        ready.commands.broken = True
        await ready.press("p")
        assert ready.said() == "cannot write the database. check the disk"
        assert ready.app.crash is None

    play(act)


def test_interrupt_says_how_to_leave() -> None:
    """Ctrl+C does not end a run by accident."""

    async def act(ready: Stage) -> None:
        await ready.press("ctrl+c")
        assert ready.said() == "press q to leave"
        assert ready.app.is_running

    play(act)


@pytest.mark.parametrize("scene", ["empty", "lost"])
def test_quit_leaves_at_once_when_no_run_is_on(scene: str) -> None:
    """Without a run, or with one that is lost, there is nothing to ask."""

    async def act(ready: Stage) -> None:
        await ready.press("q")
        assert ready.app.return_value == "closed"

    play(act, scene)


def test_quit_and_drain_leaves_when_the_run_has_ended() -> None:
    """Drain asks the worker, keeps the screen, and closes it with the run."""

    async def act(ready: Stage) -> None:
        await ready.press("q", "d")
        assert ready.commands.asked == [("drain",)]
        assert ready.app.return_value is None
        ended = RunEnded(reason="drained", exit_code=3, totals={})
        ready.app.state.fold(Stamped(NOW, 0.0, 1, "run_1", "spring", ended))
        await ready.paint()
        assert ready.app.return_value == "drained"

    play(act)


def test_quit_and_stop_leaves_at_once() -> None:
    """Stop now asks the worker and closes the screen."""

    async def act(ready: Stage) -> None:
        await ready.press("q", "s")
        assert ready.commands.asked == [("stop",)]
        assert ready.app.return_value == "stopped"

    play(act)


def test_detach_is_offered_only_where_the_run_goes_on() -> None:
    """In the worker's own process the answer does nothing and says why; elsewhere it leaves."""

    async def act(ready: Stage) -> None:
        await ready.press("q", "l")
        assert ready.app.return_value is None
        assert "would end with it" in ready.text()
        await ready.press("escape")
        ready.commands.refusals.clear()
        await ready.press("q", "l")
        assert ready.app.return_value == "detached"
        assert ready.commands.asked == []

    play(act)


@pytest.mark.parametrize(("keys", "asked"), [(("t", "y"), "trip"), (("q", "d"), "drain")])
def test_an_answer_is_no_other_key(keys: tuple[str, ...], asked: str) -> None:
    """The letter that answers a question does not also do what it does without one."""

    async def act(ready: Stage) -> None:
        before = ready.app.panels.details_open
        await ready.press(*keys)
        assert [wish[0] for wish in ready.commands.asked] == [asked]
        assert ready.said().startswith(f"asked: {asked}")
        assert ready.app.panels.details_open == before

    play(act)
