"""The whole screen as text, in every situation and at every size that is promised."""

from dataclasses import replace

import pytest
from monitor_scenes import SCENES
from monitor_stage import QUIET, Stage, compare_golden, play

SIZES = ((59, 15), (80, 24), (120, 40), (200, 60))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", SCENES)
def test_screen_looks_as_recorded(scene: str, size: tuple[int, int]) -> None:
    """Each situation paints exactly the recorded text at each size."""

    async def act(ready: Stage) -> None:
        compare_golden(f"{scene}_{size[0]}x{size[1]}", ready.text())

    play(act, scene, size)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("help", ("question_mark",)),
        ("trip", ("t",)),
        ("quit", ("q",)),
        ("details", ("d",)),
        ("zoom", ("4", "z")),
        ("filter", ("slash", "l", "l", "m")),
    ],
)
def test_what_keys_open_looks_as_recorded(name: str, keys: tuple[str, ...]) -> None:
    """Dialogs, details, zoom and filter paint exactly the recorded text."""

    async def act(ready: Stage) -> None:
        await ready.press(*keys)
        compare_golden(f"keys_{name}_80x24", ready.text())

    play(act)


@pytest.mark.parametrize("scene", SCENES)
def test_ascii_screen_holds_nothing_but_ascii(scene: str) -> None:
    """With `--ascii` no character beyond ASCII reaches the terminal."""

    async def act(ready: Stage) -> None:
        assert ready.text().isascii()
        await ready.press("question_mark")
        assert ready.text().isascii()

    play(act, scene, (120, 40), replace(QUIET, ascii_only=True))


@pytest.mark.parametrize("size", SIZES[1:], ids=lambda size: f"{size[0]}x{size[1]}")
def test_help_and_quit_stay_in_the_key_bar(size: tuple[int, int]) -> None:
    """The way out is visible at every size that is large enough."""

    async def act(ready: Stage) -> None:
        last = ready.text().splitlines()[-1]
        assert "? Help" in last
        assert "q Quit" in last

    play(act, "paused", size)


def test_smallest_terminal_still_names_help_and_quit() -> None:
    """At 60×16 other keys give way to help and quit."""

    async def act(ready: Stage) -> None:
        last = ready.text().splitlines()[-1]
        assert "? Help" in last
        assert "q Quit" in last

    play(act, "healthy", (60, 16))
