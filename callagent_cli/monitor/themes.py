"""The monitor's own colors: a dark and a light theme, every text at least 4.5 : 1 in contrast."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from rich.style import Style
from textual.theme import Theme

from callagent_cli.monitor.verdict import Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """One theme's colors: a background, a lifted background for the cursor, and one a tone."""

    name: str
    dark: bool
    background: str
    cursor: str
    border: str
    tones: dict[Tone, str]

    def style(self, tone: Tone, *, cursor: bool = False, bar: Tone | None = None) -> Style:
        """Return how a piece of text looks; a bar turns the whole line into its tone's color."""
        return _style(self.name, tone, bar, cursor=cursor)

    def theme(self) -> Theme:
        """Return the colors as Textual knows them."""
        tones = self.tones
        return Theme(
            name=self.name,
            dark=self.dark,
            primary=tones["accent"],
            secondary=tones["accent"],
            accent=tones["accent"],
            foreground=tones["plain"],
            background=self.background,
            surface=self.background,
            panel=self.cursor,
            success=tones["good"],
            warning=tones["warning"],
            error=tones["bad"],
            variables={
                "edge": self.border,
                "faint": tones["muted"],
                "footer-background": self.background,
                "input-cursor-background": tones["plain"],
                "input-cursor-foreground": self.background,
            },
        )


_BOLD: Final = frozenset({"bad", "accent"})

DARK: Final = Palette(
    name="callagent-dark",
    dark=True,
    background="#12141A",
    cursor="#232838",
    border="#3D4456",
    tones={
        "plain": "#D7DAE0",
        "muted": "#9298A6",
        "good": "#7FD19B",
        "warning": "#F2C14E",
        "bad": "#FF7A85",
        "accent": "#7AA2F7",
    },
)

LIGHT: Final = Palette(
    name="callagent-light",
    dark=False,
    background="#FAFAF7",
    cursor="#E6E9F0",
    border="#B4B8C2",
    tones={
        "plain": "#22252B",
        "muted": "#5C616C",
        "good": "#176236",
        "warning": "#7A4F00",
        "bad": "#A51C28",
        "accent": "#1B56AD",
    },
)


@lru_cache(maxsize=256)
def _style(name: str, tone: Tone, bar: Tone | None, *, cursor: bool) -> Style:
    palette = DARK if name == DARK.name else LIGHT
    if bar is not None:
        return Style(color=palette.background, bgcolor=palette.tones[bar], bold=True)
    background = palette.cursor if cursor else palette.background
    return Style(color=palette.tones[tone], bgcolor=background, bold=tone in _BOLD or None)
