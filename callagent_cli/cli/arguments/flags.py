"""The options that many commands share, each defined once."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path | None, typer.Option(metavar="FILE", help="Settings file.")]
Campaign = Annotated[
    str, typer.Option(metavar="NAME", help="Campaign; the one that ran last if unset.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Ascii = Annotated[bool, typer.Option("--ascii", help="Paint the screen in ASCII.")]
Lanes = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=1000, help="Calls worked at the same time.")
]
MetricsPort = Annotated[
    int | None,
    typer.Option(metavar="PORT", min=1, max=65535, help="Serve Prometheus metrics on loopback."),
]
