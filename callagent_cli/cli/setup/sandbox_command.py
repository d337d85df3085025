"""What `callagent sandbox` does."""

import asyncio
import os
from pathlib import Path

from callagent_cli.cli.place.workplace import workplace
from callagent_cli.cli.text.amounts import seconds
from callagent_cli.cli.text.output import standard_output
from callagent_cli.errors import ExitCode
from callagent_cli.simulation.sandbox.process import serve_sandbox


def run_sandbox(*, port: int, dial_latency: str, config: Path | None) -> int:
    """Serve until it is told to stop; raises `UsageError`."""
    place = workplace(config, os.environ)
    latency_s = seconds("--dial-latency", dial_latency) if dial_latency else None
    output = standard_output()

    def ready(urls: dict[str, str]) -> None:
        for service, url in urls.items():
            output.line(f"SANDBOX {service} {url}")
        output.line("SANDBOX ready; no phone rings. Ctrl-C ends it")
        output.flush()

    asyncio.run(
        serve_sandbox(
            place.state_dir,
            settings=place.settings,
            port=port,
            dial_latency_s=latency_s,
            ready=ready,
        )
    )
    return int(ExitCode.DONE)
