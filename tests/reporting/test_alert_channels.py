"""Real channels against real servers on loopback: what they send, and what answers mean."""

import asyncio
import base64
import hmac
import json
from hashlib import sha256

import pytest
from channel_trials import channel_of, tried
from loopback_servers import Answer, HttpServer
from reporting_doubles import ALERT, KEY, loop_clock

from callagent_cli.errors import (
    AuthenticationFailed,
    InvalidPayload,
    Misconfigured,
    NetworkFailure,
    RateLimited,
    ServiceError,
    ServiceUnavailable,
    SettingsError,
)
from callagent_cli.reporting.alert import Alert, Channel
from callagent_cli.reporting.channels.webhook import sign
from callagent_cli.settings import Alerts, Email, Telegram, Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 — the published vector.


def _telegram(base_url: str) -> Channel:
    settings = Alerts(telegram=Telegram(base_url=base_url, chat_id="-100"))
    return channel_of(settings, {"TELEGRAM_BOT_TOKEN": KEY}, clock=loop_clock())


def _webhook(base_url: str) -> Channel:
    settings = Alerts(webhook=Webhook(url=f"{base_url}/hook?team=1"))
    return channel_of(
        settings, {"CALLAGENT_WEBHOOK_SECRET": f"{SECRET} whsec_b2xkb2xk"}, clock=loop_clock()
    )


# Webhook


def test_the_signature_is_the_one_of_the_specification() -> None:
    """The published vector of Standard Webhooks."""
    body = b'{"test": 2432232314}'
    signed = sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_is_posted_signed_with_each_secret() -> None:
    """Id, timestamp and signatures in the headers; type, timestamp and data in the body."""
    error, server = tried(_webhook, [(204, {}, b"")])
    request = server.requests[0]
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    content = f"msg_1.{request.headers['webhook-timestamp']}.".encode() + request.body
    expected = base64.b64encode(hmac.digest(key, content, sha256)).decode()

    assert error is None
    assert (request.method, request.target) == ("POST", "/hook?team=1")
    assert request.headers["webhook-id"] == "msg_1"
    assert request.headers["webhook-signature"].split(" ")[0] == f"v1,{expected}"
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    payload = json.loads(request.body)
    assert payload["type"] == "alert.opened"
    assert payload["timestamp"] == "2026-01-05T09:00:00.000Z"
    assert payload["data"]["incident"] == "INC-0001"
    assert payload["data"]["status"] == "open"


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (302, {"location": "http://127.0.0.1:1/"}, ServiceUnavailable),
        (400, {}, InvalidPayload),
        (401, {}, AuthenticationFailed),
        (404, {}, Misconfigured),
        (410, {}, Misconfigured),
        (429, {"retry-after": "7"}, RateLimited),
        (500, {}, ServiceUnavailable),
        (503, {"retry-after": "7"}, ServiceUnavailable),
    ],
)
def test_each_answer_of_a_webhook_means_something(
    status: int, headers: dict[str, str], kind: type[ServiceError]
) -> None:
    """Statuses become errors; Retry-After is kept; the receiver's page is not."""
    error, _ = tried(_webhook, [(status, headers, b"<html>help</html>")])

    assert type(error) is kind
    assert error.status == status
    assert error.retry_after_s == (7.0 if headers.get("retry-after") else None)
    assert "html" not in error.message


def test_a_large_alert_stays_under_the_limit() -> None:
    """Standard Webhooks asks for less than 20 kB."""
    huge = Alert(
        **{
            **{name: getattr(ALERT, name) for name in ALERT.__struct_fields__},
            "body": "x" * 100_000,
        }
    )
    _, server = tried(_webhook, [(200, {}, b"")], huge)

    assert len(server.requests[0].body) < 20_000


def test_a_secret_that_is_no_secret_is_refused_at_the_start() -> None:
    """A typo in the secret shows when the run begins, not in the first outage."""

    async def make() -> None:
        settings = Alerts(webhook=Webhook(url="https://hooks.example/x"))
        with pytest.raises(SettingsError):
            channel_of(settings, {"CALLAGENT_WEBHOOK_SECRET": "whsec_%%%"})

    asyncio.run(make())


# Telegram

_OK = (200, {"content-type": "application/json"}, b'{"ok":true,"result":{"message_id":1}}')


def _refusal(status: int, description: str, **parameters: int) -> tuple[int, dict[str, str], bytes]:
    body = {
        "ok": False,
        "error_code": status,
        "description": description,
        "parameters": parameters,
    }
    return status, {"content-type": "application/json"}, json.dumps(body).encode()


def test_a_telegram_message_carries_title_and_body() -> None:
    """The bot's token is in the path, the text in the body, and only bad news makes a sound."""
    error, server = tried(_telegram, [_OK])
    request = server.requests[0]
    sent = json.loads(request.body)

    assert error is None
    assert request.target == f"/bot{KEY}/sendMessage"
    assert sent["chat_id"] == "-100"
    assert sent["text"] == f"[critical] {ALERT.title}\n\n{ALERT.body}"
    assert sent["disable_notification"] is False


def test_a_chat_that_moved_is_followed() -> None:
    """A group that became a supergroup names its new id; the alert is sent there."""
    moved = _refusal(400, "group upgraded", migrate_to_chat_id=-1001234)
    error, server = tried(_telegram, [moved, _OK])

    assert error is None
    assert [json.loads(request.body)["chat_id"] for request in server.requests] == [
        "-100",
        "-1001234",
    ]


@pytest.mark.parametrize(
    ("answer", "kind", "retry_after_s"),
    [
        (_refusal(400, "Bad Request: chat not found"), Misconfigured, None),
        (_refusal(400, "Bad Request: message is too long"), InvalidPayload, None),
        (_refusal(401, "Unauthorized"), AuthenticationFailed, None),
        (_refusal(403, "Forbidden: bot was blocked by the user"), AuthenticationFailed, None),
        (_refusal(404, "Not Found"), AuthenticationFailed, None),
        (_refusal(429, "Too Many Requests: retry after 7", retry_after=7), RateLimited, 7.0),
        (_refusal(500, "Internal Server Error: restart"), ServiceUnavailable, None),
        ((200, {}, b"<html>portal</html>"), ServiceUnavailable, None),
        ((200, {}, b'{"ok":false}'), ServiceUnavailable, None),
        ((502, {}, b"[]"), ServiceUnavailable, None),
    ],
)
def test_each_answer_of_telegram_means_something(
    answer: Answer, kind: type[ServiceError], retry_after_s: float | None
) -> None:
    """By description first, status second; the token is in no message."""
    error, _ = tried(_telegram, [answer])

    assert type(error) is kind
    assert error.retry_after_s == retry_after_s
    assert KEY not in error.message


def test_a_server_that_is_not_there_is_a_network_failure() -> None:
    """A refused connection is worth another try."""

    async def deliver() -> None:
        async with HttpServer([]) as server:
            base_url = server.base_url
        channel = _telegram(base_url)
        with pytest.raises(NetworkFailure):
            await channel.deliver(ALERT)
        await channel.close()

    asyncio.run(deliver())


# Choosing


@pytest.mark.parametrize(
    "alerts",
    [
        Alerts(telegram=Telegram(chat_id="1")),
        Alerts(email=Email(host="h", sender="a@b.test", to=["c@d.test"], username="ops")),
        Alerts(webhook=Webhook(url="hooks.example/x")),
    ],
)
def test_a_channel_without_its_secret_or_address_stops_the_start(alerts: Alerts) -> None:
    """Two lines say what is missing, instead of a channel that can never work."""

    async def make() -> None:
        with pytest.raises(SettingsError) as raised:
            channel_of(alerts, {})
        assert raised.value.hint

    asyncio.run(make())
