"""The keys that change the view: filter, details, zoom, freeze, copy, help, moving."""

from dataclasses import replace

import pytest
from monitor_doubles import RecordingPace
from monitor_scenes import NOW
from monitor_stage import QUIET, STANDARD, Stage, play

from callagent_cli.events import RunEnded, Stamped
from callagent_cli.monitor.keys import BAR, KEYS
from callagent_cli.monitor.widgets.key_list import Help


def test_freeze_keeps_the_screen_and_counts_what_it_misses() -> None:
    """A frozen screen shows how many events it has not shown; thawed, it shows them."""

    async def act(ready: Stage) -> None:
        await ready.press("space")
        before = ready.text()
        ended = RunEnded(reason="done", exit_code=0, totals={"done": 103})
        ready.app.state.fold(Stamped(NOW, 0.0, 1, "run_1", "spring", ended))
        await ready.paint()
        assert "frozen +1" in ready.text()
        assert ready.text().splitlines()[1:] == before.splitlines()[1:]
        await ready.press("space")
        assert "103/103" in ready.text()
        assert "frozen" not in ready.text()

    play(act)


def test_filter_dims_what_does_not_match_and_esc_clears_it() -> None:
    """The filter counts its matches in each panel; an exclamation mark inverts it."""

    async def act(ready: Stage) -> None:
        await ready.press("slash", "l", "l", "m")
        services = ready.app.panels.grids["services"]
        assert services.hits == 1
        await ready.press("home", "exclamation_mark")
        assert services.hits == 2
        await ready.press("escape")
        assert services.hits is None
        assert not ready.app.filter_line.display

    play(act)


def test_filter_moves_the_cursor_between_matches_only() -> None:
    """With a filter the cursor goes from match to match."""

    async def act(ready: Stage) -> None:
        await ready.press("slash", "c", "r", "m", "enter", "j", "h")
        assert ready.commands.asked == [("check", "crm")]

    play(act)


def test_details_open_and_close() -> None:
    """D shows what is known of the selected row, also where the terminal is narrow."""

    async def act(ready: Stage) -> None:
        await ready.press("d")
        assert "4 failures since the last success (503)" in ready.text()
        await ready.press("escape")
        assert "4 failures since the last success (503)" not in ready.text()
        await ready.press("enter", "d")
        assert "4 Alerts" in ready.text()

    play(act)


@pytest.mark.parametrize(
    ("panel", "wanted"), [("2", "attempt 3 of 4"), ("3", "follow for"), ("4", "Incident")]
)
def test_details_tell_of_each_panels_row(panel: str, wanted: str) -> None:
    """Details follow the focus: retries, calls in flight and alerts have their own."""

    async def act(ready: Stage) -> None:
        await ready.press(panel)
        await ready.paint()
        assert wanted in ready.text()

    play(act, "incident", (120, 40))


def test_zoom_gives_a_panel_the_screen() -> None:
    """Z hides the other panels; esc brings them back."""

    async def act(ready: Stage) -> None:
        await ready.press("4", "z")
        assert "1 Services" not in ready.text()
        assert "4 Alerts" in ready.text()
        await ready.press("escape")
        assert "1 Services" in ready.text()

    play(act)


@pytest.mark.parametrize(("key", "title"), [("5", "5 Waiting"), ("6", "6 Events")])
def test_a_panel_that_does_not_fit_is_zoomed(key: str, title: str) -> None:
    """Its number shows it all the same."""

    async def act(ready: Stage) -> None:
        assert title not in ready.text()
        await ready.press(key)
        assert title in ready.text()

    play(act)


def test_tab_goes_round_the_panels() -> None:
    """Tab and shift+tab visit every shown panel and come back."""

    async def act(ready: Stage) -> None:
        visited = []
        for _ in range(4):
            await ready.press("tab")
            visited.append(ready.app.panels.active)
        assert visited == ["retries", "flights", "alerts", "services"]
        await ready.press("shift+tab")
        assert ready.app.panels.active == "alerts"

    play(act)


def test_copy_takes_the_error_and_the_request_id() -> None:
    """What is copied holds everything a support ticket needs."""

    async def act(ready: Stage) -> None:
        await ready.press("y")
        assert "503 Service Unavailable" in ready.app.clipboard
        assert "req_77f1" in ready.app.clipboard
        assert "copied elevenlabs" in ready.said()

    play(act)


def test_help_lists_every_key_and_searches() -> None:
    """Each key of the table stands in the help; typing narrows it."""

    async def act(ready: Stage) -> None:
        await ready.press("question_mark")
        help_screen = ready.app.screen
        assert isinstance(help_screen, Help)
        listing = help_screen.listing("")
        for key in KEYS:
            assert key.shown in listing
            assert key.does in listing
        await ready.press("m", "u", "t", "e")
        assert [entry.shown for entry in help_screen.found("mute")] == ["m"]
        assert "mute the selected" in ready.text()
        assert "pause or resume" not in ready.text()
        await ready.press("escape")
        assert not isinstance(ready.app.screen, Help)

    play(act)


def test_key_bar_keys_can_be_clicked() -> None:
    """A click on a key in the bar is as good as pressing it."""

    async def act(ready: Stage) -> None:
        bar = ready.text().splitlines()[-1]
        await ready.pilot.click("#keys-bar", offset=(bar.index("Check"), 0))
        await ready.pilot.pause()
        assert ready.commands.asked == [("check", "elevenlabs")]

    play(act)


def test_every_line_of_the_help_can_be_reached() -> None:
    """The arrows and page keys scroll the help, to its last line and back."""

    async def act(ready: Stage) -> None:
        await ready.press("question_mark")
        assert "BAD/ALL" not in _box(ready)
        await ready.press(*["pagedown"] * 6, "down")
        assert "BAD/ALL" in _box(ready)
        assert "pause or resume" not in _box(ready)
        await ready.press(*["pageup"] * 6, "up")
        assert "pause or resume" in _box(ready)

    play(act)


def _box(ready: Stage) -> str:
    """Return the lines of the screen within the help's box."""
    lines = ready.text().splitlines()
    first = next(index for index, line in enumerate(lines) if "Keys" in line)
    return "\n".join(line[2:-2] for line in lines[first + 3 : -2])


def test_enter_does_what_the_chosen_line_says() -> None:
    """The help and the palette are ways to do something without knowing its key."""

    async def act(ready: Stage) -> None:
        await ready.press("ctrl+p", *"mute", "enter")
        assert ready.commands.asked == [("mute", "elevenlabs")]
        await ready.press("question_mark", "down", "enter")
        assert "Drain the run?" in ready.text()
        await ready.press("escape")
        await ready.press("question_mark", *"zoom", "enter")
        assert ready.app.panels.zoomed == "services"

    play(act)


def test_a_line_that_does_nothing_now_says_why() -> None:
    """Choosing a refused key keeps the list open and gives the reason."""

    async def act(ready: Stage) -> None:
        await ready.press("question_mark", *"twice", "enter")
        assert ready.said().startswith("not possible: only in a rehearsal")
        assert isinstance(ready.app.screen, Help)
        await ready.press(*["backspace"] * 5, *"legend", "enter")
        assert isinstance(ready.app.screen, Help)

    play(act)


def test_a_search_that_finds_nothing_says_so() -> None:
    """No line is left, and enter does nothing."""

    async def act(ready: Stage) -> None:
        await ready.press("question_mark", *"xyzzy")
        assert "no key does that" in ready.text()
        await ready.press("down", "enter")
        assert isinstance(ready.app.screen, Help)

    play(act)


def test_a_line_of_the_list_can_be_clicked() -> None:
    """A click is as good as enter."""

    async def act(ready: Stage) -> None:
        await ready.press("ctrl+p", *"mute")
        await ready.pilot.click("#keys", offset=(12, 0))
        await ready.pilot.pause()
        assert ready.commands.asked == [("mute", "elevenlabs")]

    play(act)


def test_key_bar_holds_the_keys_of_the_table() -> None:
    """Nothing stands in the bar that is not in the table; a wide screen shows them all."""

    async def act(ready: Stage) -> None:
        bar = ready.text().splitlines()[-1]
        assert bar == " " + "  ".join(f"{key.shown} {key.label}" for key in BAR)

    play(act, "healthy", (200, 60))


def test_a_rehearsals_bar_holds_the_keys_of_time() -> None:
    """Where nothing can be asked of a worker, the bar shows how to hold, step and speed time."""

    async def act(ready: Stage) -> None:
        bar = ready.text().splitlines()[-1]
        assert bar.startswith(" space Hold  . Step  < Slower  > Faster")
        assert "q Quit" in bar
        assert "Trip" not in bar
        await ready.press("space")
        assert ready.text().splitlines()[-1].startswith(" space Go on")

    play(act, "simulation", STANDARD, replace(QUIET, pace=RecordingPace()))


def test_palette_offers_every_command() -> None:
    """The command palette names what each key does, and leaves the movements out."""

    async def act(ready: Stage) -> None:
        await ready.press("ctrl+p")
        assert "acknowledge all alerts" in ready.text()
        assert "one row up" not in ready.text()

    play(act)
