"""What `callagent doctor` does: one line a check, with a fix for what is wrong."""

import asyncio
import os
from pathlib import Path
from typing import Literal

import msgspec

from callagent_cli.cli.place.workplace import workplace
from callagent_cli.cli.setup.doctor_checks import Check, local_checks
from callagent_cli.cli.setup.doctor_network import network_checks
from callagent_cli.cli.text.output import standard_output
from callagent_cli.errors import ExitCode, SettingsError

_MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}


class DoctorDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The document of `doctor --json`."""

    schema: Literal[1] = 1
    healthy: bool
    checks: list[Check]


def examine(config: Path | None, *, json: bool) -> int:
    """Check everything and print it; 1 when something is broken."""
    checks = _checks(config)
    healthy = all(check.status != "failed" for check in checks)
    output = standard_output()
    if json:
        output.document(DoctorDocument(healthy=healthy, checks=checks))
    else:
        for check in checks:
            fix = f" — {check.fix}" if check.fix else ""
            output.line(f"{_MARKS[check.status]} {check.name}: {check.text}{fix}")
    return int(ExitCode.DONE if healthy else ExitCode.FAILED)


def _checks(config: Path | None) -> list[Check]:
    try:
        place = workplace(config, os.environ)
    except SettingsError as error:
        found = Check(name="settings", status="failed", text=error.message, fix=error.hint)
        return [*local_checks(None, os.environ), found]
    checks = local_checks(place, os.environ, config=config)
    return [*checks, *asyncio.run(network_checks(place, os.environ))]
