"""What a test sees of the monitor, and its hands on the keys; the one look at Textual's insides."""

from typing import Any

from textual.app import App
from textual.pilot import Pilot


def screen_text(app: App[Any]) -> str:
    """Return what the compositor would put on the terminal."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


def latest_toast(app: App[Any]) -> str:
    """Return what the latest toast says, empty without one."""
    latest = [notification.message for notification in app._notifications]
    return latest[-1] if latest else ""


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys one after the other, and let each take effect."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
