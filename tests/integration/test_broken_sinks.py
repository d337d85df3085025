"""What cannot be told delays no call."""

import asyncio
import socket
from pathlib import Path

import pytest
from command_line import INSTANT, callagent, status, write_contacts, write_settings
from faulty_sandbox import Outage, faulty_sandbox, of, running
from test_outage_on_sockets import SETTINGS

PEOPLE = 10


def test_an_alert_channel_that_hangs_delays_no_call(tmp_path: Path) -> None:
    """A webhook that takes connections and never answers: the campaign finishes meanwhile."""
    write_contacts(tmp_path, PEOPLE)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        webhook = {"alerts": {"webhook": {"url": f"http://127.0.0.1:{port}/hook"}}}
        write_settings(tmp_path, INSTANT, SETTINGS, webhook)

        async def scenario() -> None:
            outage = Outage({"elevenlabs"})
            async with faulty_sandbox(tmp_path, outage), running(tmp_path) as run:
                await run.until(
                    lambda events: (
                        bool(of(events, "health_checked", health="unhealthy"))
                        and bool(of(events, "breaker_changed", new="open"))
                    )
                )
                outage.down.clear()
                await run.until(
                    lambda events: len(of(events, "call_changed", new="done")) == PEOPLE - 1
                )

        asyncio.run(asyncio.wait_for(scenario(), 10))

    assert status(tmp_path)["totals"]["failed"] == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_what_a_full_disk_keeps_from_being_logged_is_counted_and_shown(tmp_path: Path) -> None:
    """The rows of the sheet are lost, the calls are not, and the last lines say so."""
    write_contacts(tmp_path, 1)
    write_settings(
        tmp_path, INSTANT, {"services": {"crm": {"provider": "none"}}, "sandbox": {"url": ""}}
    )
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "google-sheet.csv").symlink_to("/dev/full")
    run = callagent("run", "contacts.csv", folder=tmp_path)

    assert run.returncode == 0, run.stderr
    assert "google-sheet lost" in run.stdout
    assert status(tmp_path)["totals"]["done"] == 1
