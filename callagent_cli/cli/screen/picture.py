"""Pictures of the screen: SVG, or PNG through the optional resvg-py; both without a network."""

import asyncio
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from callagent_cli.cli.text import diagnostics
from callagent_cli.errors import UsageError
from callagent_cli.monitor.app import MonitorApp

FONTS: Final = '"DejaVu Sans Mono", Menlo, Consolas, "Liberation Mono", monospace'
"""Fonts with the block and box characters, the first one that is there."""

_RESVG: Final = "resvg_py"
"""The module of the extra `picture`, which most installations do without."""

_MONOSPACE: Final = "DejaVu Sans Mono"
_ADDRESSES: Final = re.compile(r"@font-face\s*\{.*?\}\s*|<!--.*?-->\s*", re.DOTALL)
_FONT: Final = re.compile(r"font-family:\s*Fira Code[^;]*;")
_KINDS: Final = (".svg", ".png")
_SIZE: Final = re.compile(r"(\d{1,4})x(\d{1,4})")
_LARGEST: Final = 500


def parse_size(text: str) -> tuple[int, int]:
    """Return columns and rows of `120x40`; raises `UsageError`."""
    found = _SIZE.fullmatch(text)
    if found is None or not all(1 <= int(part) <= _LARGEST for part in found.groups()):
        raise UsageError(f"`{text}` is no size", hint="columns and rows, such as `120x40`")
    return int(found[1]), int(found[2])


def require_kind(file: Path) -> None:
    """Raise `UsageError` when a file's name says neither SVG nor PNG, or PNG cannot be made."""
    if file.suffix.lower() not in _KINDS:
        raise UsageError(f"`{file}` is no picture", hint="name a file that ends in .svg or .png")
    if file.suffix.lower() == ".png" and find_spec(_RESVG) is None:
        hint = "`pip install 'callagent[picture]'`, or name a file that ends in .svg"
        raise UsageError("a PNG needs the extra `picture`", hint=hint)


def take_picture(app: MonitorApp, file: Path, size: tuple[int, int]) -> None:
    """Paint the screen once, without a terminal, and write it to a file.

    Raises `UsageError` when the file cannot be written.
    """
    svg = asyncio.run(svg_of(app, size))
    picture = svg.encode() if file.suffix.lower() == ".svg" else png_of(svg)
    try:
        file.write_bytes(picture)
    except OSError as error:
        raise UsageError(
            f"cannot write `{file}`: {error.strerror or error}", hint="choose another file"
        ) from error
    diagnostics.note(f"wrote {file}")


async def svg_of(app: MonitorApp, size: tuple[int, int]) -> str:
    """Return the screen as SVG that names no address and fits fonts that are there."""
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.paint()
        await pilot.pause()
        svg = app.export_screenshot(title="callagent")
    return _FONT.sub(f"font-family: {FONTS};", _ADDRESSES.sub("", svg))


def png_of(svg: str) -> bytes:
    """Return an SVG as PNG."""
    svg = svg.replace(FONTS, "monospace")
    draw = import_module(_RESVG).svg_to_bytes
    return bytes(draw(svg_string=svg, monospace_family=_MONOSPACE))
