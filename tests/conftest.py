"""What every test can rely on: no secret from outside, no color by surprise, no foreign network."""

import signal
import sys
from typing import Any, Final

import pytest
from hypothesis import settings

VARIABLES: Final = (
    "ANTHROPIC_API_KEY",
    "CALLAGENT_APPRISE_URLS",
    "CALLAGENT_SMTP_PASSWORD",
    "CALLAGENT_WEBHOOK_SECRET",
    "ELEVENLABS_API_KEY",
    "FORCE_COLOR",
    "GOOGLE_SERVICE_ACCOUNT_JSON",
    "HUBSPOT_TOKEN",
    "NO_COLOR",
    "OPENAI_API_KEY",
    "PAGERDUTY_ROUTING_KEY",
    "SLACK_WEBHOOK_URL",
    "TELEGRAM_BOT_TOKEN",
)

settings.register_profile("callagent", deadline=None, print_blob=True)
settings.load_profile("callagent")


def _refuse_foreign_addresses(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise when a socket is about to reach beyond loopback; hooks cannot be removed."""
    if event not in {"socket.connect", "socket.sendto"}:
        return
    address = arguments[1]
    if isinstance(address, tuple):
        host = str(address[0])
        if host not in {"localhost", "::1", "0.0.0.0"} and not host.startswith("127."):  # noqa: S104 — a name for this machine when connecting.
            message = f"a test tried to reach {host}"
            raise RuntimeError(message)


sys.addaudithook(_refuse_foreign_addresses)

# What runs in the background or under `nohup` ignores these, and so do the processes it starts.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what the surroundings would bring into a test."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
