"""The sandbox as a process: found, killed, started again, stopped."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import pytest
from twin_helpers import ANA, BEN, TWILIO, dial_body

from callagent_cli.errors import UsageError
from callagent_cli.services.http import NoAnswer, Request, Response
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.settings import Sandbox as SandboxSection
from callagent_cli.settings import Settings
from callagent_cli.simulation.sandbox.process import (
    Address,
    address_file,
    find_sandbox,
    serve_sandbox,
)
from callagent_cli.simulation.sandbox.sandbox import read_ledger
from callagent_cli.simulation.twins.keys import ELEVENLABS_KEY

INSTANT = Settings(sandbox=SandboxSection(pace=0))
PROGRAM: Final = """
import asyncio, sys
from pathlib import Path
from callagent_cli.settings import Sandbox, Settings
from callagent_cli.simulation.sandbox.process import serve_sandbox
folder, port, dial_latency_s = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
settings = Settings(sandbox=Sandbox(pace=0))
asyncio.run(
    serve_sandbox(folder, settings=settings, port=port, dial_latency_s=dial_latency_s,
                  ready=lambda urls: print(urls["elevenlabs"], flush=True))
)
"""


@contextmanager
def sandbox_process(
    state_dir: Path, *, port: int = 0, dial_latency_s: float = 0.0
) -> Iterator[subprocess.Popen[str]]:
    """Run a sandbox; yield once it is ready."""
    arguments = [str(state_dir), str(port), str(dial_latency_s)]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("http://127.0.0.1:")
            yield process
        finally:
            process.kill()


def send(
    urls: dict[str, str] | None, path: str, body: object = None, timeout_s: float = 5.0
) -> Response:
    """Send one request to the voice platform."""
    assert urls is not None, "no sandbox was found"

    async def scenario() -> Response:
        http = HttpxClient(base_url=urls["elevenlabs"])
        try:
            return await http.send(
                Request(
                    target="elevenlabs.dial",
                    method="GET" if body is None else "POST",
                    path=path,
                    headers={"xi-api-key": ELEVENLABS_KEY},
                    body=b"" if body is None else msgspec.json.encode(body),
                    timeout_s=timeout_s,
                )
            )
        finally:
            await http.close()

    return asyncio.run(scenario())


def test_a_killed_sandbox_started_again_still_lists_the_call(tmp_path: Path) -> None:
    """Killed right after the answer, its calls are on disk and the next process has them."""
    with sandbox_process(tmp_path) as process:
        answer = send(find_sandbox(tmp_path), TWILIO, dial_body())
        process.send_signal(signal.SIGKILL)
        process.wait()
    conversation = msgspec.json.decode(answer.body)["conversation_id"]

    assert find_sandbox(tmp_path) is None
    assert [each.conversation for each in read_ledger(tmp_path).placed()] == [conversation]
    with sandbox_process(tmp_path):
        path = "/v1/convai/conversations?user_id=call_1"
        page = msgspec.json.decode(send(find_sandbox(tmp_path), path).body)
    assert [each["conversation_id"] for each in page["conversations"]] == [conversation]


def test_a_sandbox_killed_between_effect_and_answer_knows_what_it_did(tmp_path: Path) -> None:
    """The dial is on disk before its answer is due, so a kill in between is not forgotten."""
    with sandbox_process(tmp_path, dial_latency_s=60.0):
        with pytest.raises(NoAnswer):
            send(find_sandbox(tmp_path), TWILIO, dial_body(), timeout_s=0.3)
        while_it_runs = read_ledger(tmp_path)

    assert (while_it_runs.times_rung(ANA), while_it_runs.times_rung(BEN)) == (1, 0)
    (request,) = read_ledger(tmp_path).requests("elevenlabs")
    assert (request.target, request.attempt_id, request.effect) == (
        "elevenlabs.dial",
        "dial_1",
        True,
    )


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_sandbox_told_to_stop_ends_cleanly(tmp_path: Path, signal_number: int) -> None:
    """It exits with 0 and without a word, and is not found any more."""
    with sandbox_process(tmp_path) as process:
        assert find_sandbox(tmp_path) is not None
        process.send_signal(signal_number)
        _, complaints = process.communicate(timeout=10)

    assert (process.returncode, complaints) == (0, "")
    assert not address_file(tmp_path).exists()
    assert find_sandbox(tmp_path) is None


def test_a_second_sandbox_for_the_same_folder_is_refused(tmp_path: Path) -> None:
    """Two sandboxes would write one ledger; the second is told so."""
    with sandbox_process(tmp_path), pytest.raises(UsageError, match="already running"):
        asyncio.run(serve_sandbox(tmp_path, settings=INSTANT))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"no json",
        msgspec.json.encode(Address(pid=os.getpid(), urls={})),
        msgspec.json.encode(Address(pid=os.getpid(), urls={"elevenlabs": "http://127.0.0.1:1"})),
        msgspec.json.encode(Address(pid=os.getpid(), urls={"elevenlabs": "http://192.0.2.1:80"})),
        msgspec.json.encode(Address(pid=2**22 + 1, urls={"elevenlabs": "http://127.0.0.1:1"})),
    ],
    ids=["empty", "no fields", "no json", "no address", "no answer", "beyond", "dead"],
)
def test_an_address_without_a_living_sandbox_is_no_sandbox(tmp_path: Path, content: bytes) -> None:
    """A broken file, a dead process, a port nobody answers on, or one beyond this machine."""
    address_file(tmp_path).parent.mkdir()
    address_file(tmp_path).write_bytes(content)

    assert find_sandbox(tmp_path) is None


def test_no_file_is_no_sandbox(tmp_path: Path) -> None:
    """Where none ever ran, none is found."""
    assert find_sandbox(tmp_path) is None


def test_a_sandbox_can_be_stopped_from_within(tmp_path: Path) -> None:
    """An event ends it like a signal does; it is found while it runs."""

    async def scenario() -> tuple[bool, bool]:
        stop = asyncio.Event()
        ready: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(
            serve_sandbox(tmp_path, settings=INSTANT, stop=stop, ready=ready.set_result)
        )
        urls = await ready
        found = find_sandbox(tmp_path) == urls
        stop.set()
        await serving
        return found, find_sandbox(tmp_path) is None

    assert asyncio.run(scenario()) == (True, True)
