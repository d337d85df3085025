"""Both themes can be read, also without color."""

from itertools import product

import pytest
from monitor_stage import Stage, play

from callagent_cli.monitor.themes import DARK, LIGHT, Palette


def contrast(first: str, second: str) -> float:
    """Return the contrast of two `#RRGGBB` colors as WCAG 2 defines it, 1 to 21."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    threshold = 0.04045
    return channel / 12.92 if channel <= threshold else ((channel + 0.055) / 1.055) ** 2.4


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=lambda palette: palette.name)
def test_every_text_contrasts_enough(palette: Palette) -> None:
    """Each tone stands out at least 4.5 : 1 from the background and from the cursor's row."""
    for tone, background in product(palette.tones, (palette.background, palette.cursor)):
        assert contrast(palette.tones[tone], background) >= 4.5, (tone, background)


@pytest.mark.parametrize("palette", [DARK, LIGHT], ids=lambda palette: palette.name)
def test_a_filled_line_contrasts_enough(palette: Palette) -> None:
    """The verdict line filled with a tone can still be read."""
    for tone in palette.tones:
        style = palette.style("plain", bar=tone)
        assert style.color is not None
        assert style.bgcolor is not None
        assert contrast(palette.background, palette.tones[tone]) >= 4.5


def test_contrast_follows_the_standard() -> None:
    """Black on white is 21 : 1, a color on itself 1 : 1."""
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#7AA2F7", "#7AA2F7") == pytest.approx(1.0)


def test_no_color_paints_no_hue(monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR every color on the screen is a shade of gray."""
    monkeypatch.setenv("NO_COLOR", "1")

    async def act(ready: Stage) -> None:
        svg = ready.app.export_screenshot()
        for tone in DARK.tones.values():
            assert tone.lower() not in svg.lower() or tone == DARK.tones["plain"]

    play(act)


def test_light_key_changes_every_color() -> None:
    """L changes to the light theme and back."""

    async def act(ready: Stage) -> None:
        await ready.press("L")
        assert ready.app.theme == "callagent-light"
        svg = ready.app.export_screenshot().lower()
        assert LIGHT.tones["good"].lower() in svg
        assert DARK.tones["good"].lower() not in svg
        await ready.press("L")
        assert ready.app.theme == "callagent-dark"

    play(act)
