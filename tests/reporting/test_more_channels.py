"""Slack, PagerDuty, apprise, webhooks as others verify them, and the dead-man's switch."""

import asyncio
import json

import msgspec
import pytest
from channel_trials import channel_of, tried
from loopback_servers import Answer, HttpServer, json_answer
from outbox_desk import Desk
from reporting_doubles import ALERT, KEY, alert, loop_clock, run_jumping
from standardwebhooks.webhooks import Webhook as Verifier

from callagent_cli.clock import Clock, system_clock
from callagent_cli.errors import (
    AuthenticationFailed,
    InvalidPayload,
    Misconfigured,
    RateLimited,
    ServiceError,
    ServiceUnavailable,
    SettingsError,
)
from callagent_cli.reporting.alert import Channel
from callagent_cli.reporting.channels.pagerduty import dedup_key
from callagent_cli.reporting.heartbeat import EVERY_S, Heartbeat, Ping
from callagent_cli.reporting.real_doors import RealDoors
from callagent_cli.services.exchange import Exchange
from callagent_cli.services.http import NotSent, Request, Response
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.settings import Alerts, Apprise, PagerDuty, Slack, Webhook

# apprise imports it where it is still there.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SECRETS = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk")


def _slack(base_url: str) -> Channel:
    url = f"{base_url}/services/T000/B000/{KEY}"
    return channel_of(Alerts(slack=Slack()), {"SLACK_WEBHOOK_URL": url})


def _pagerduty(base_url: str) -> Channel:
    alerts = Alerts(pagerduty=PagerDuty(base_url=base_url))
    return channel_of(alerts, {"PAGERDUTY_ROUTING_KEY": KEY})


def _webhook(base_url: str) -> Channel:
    alerts = Alerts(webhook=Webhook(url=f"{base_url}/hook"))
    return channel_of(alerts, {"CALLAGENT_WEBHOOK_SECRET": " ".join(SECRETS)})


def _apprise(base_url: str) -> Channel:
    address = base_url.replace("http://", "json://") + f"/hook?token={KEY}"
    return channel_of(Alerts(apprise=Apprise()), {"CALLAGENT_APPRISE_URLS": address})


# Webhook


@pytest.mark.parametrize("secret", SECRETS)
def test_the_library_verifies_each_signature_while_secrets_rotate(secret: str) -> None:
    """A receiver with the old secret and one with the new both take the message."""
    error, server = tried(_webhook, [(204, {}, b"")])
    request = server.requests[0]
    payload = Verifier(secret).verify(request.body.decode(), dict(request.headers))

    assert error is None
    assert payload["data"]["incident"] == "INC-0001"


# Slack


def test_a_slack_message_is_plain_text_without_mentions() -> None:
    """Title and body; what Slack would read as a mention or a link is escaped."""
    alert = msgspec.structs.replace(ALERT, title="<!channel> & more")
    error, server = tried(_slack, [(200, {}, b"ok")], alert)
    sent = json.loads(server.requests[0].body)

    assert error is None
    assert server.requests[0].target == f"/services/T000/B000/{KEY}"
    assert sent["text"].startswith("*[critical] &lt;!channel&gt; &amp; more*\n")


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ((400, {}, b"invalid_payload"), InvalidPayload, "invalid_payload"),
        ((403, {}, b"invalid_token"), AuthenticationFailed, "new incoming webhook"),
        ((403, {}, b"action_prohibited"), Misconfigured, "another channel"),
        ((404, {}, b"no_service"), AuthenticationFailed, "was removed"),
        ((404, {}, b"channel_not_found"), Misconfigured, "channel is gone"),
        ((410, {}, b"channel_is_archived"), Misconfigured, "archived"),
        ((429, {"retry-after": "7"}, b"rate_limited"), RateLimited, ""),
        ((500, {}, b"rollup_error"), ServiceUnavailable, ""),
        ((200, {}, b"<html>portal</html>"), ServiceUnavailable, ""),
    ],
)
def test_each_answer_of_slack_means_something(
    answer: Answer, kind: type[ServiceError], words: str
) -> None:
    """Its one word first, the status second; the address is in no message."""
    error, _ = tried(_slack, [answer])

    assert type(error) is kind
    assert words in error.message
    assert "html" not in error.message
    assert KEY not in error.message
    assert error.retry_after_s == (7.0 if kind is RateLimited else None)


# PagerDuty


def test_pagerduty_gets_one_incident_that_ends() -> None:
    """Trigger and resolve carry the same key; a repeated one changes nothing there."""
    over = msgspec.structs.replace(ALERT, kind="resolved", status="resolved", id="INC-0001-04")
    accepted = json_answer(202, status="success", message="Event processed", dedup_key="x")
    error, server = tried(_pagerduty, [accepted, accepted], ALERT, over)
    first, last = (json.loads(request.body) for request in server.requests)

    assert error is None
    assert server.requests[0].target == "/v2/enqueue"
    assert (first["event_action"], last["event_action"]) == ("trigger", "resolve")
    assert first["dedup_key"] == last["dedup_key"] == dedup_key(ALERT)
    assert first["routing_key"] == KEY
    assert first["payload"]["severity"] == "critical"
    assert first["payload"]["summary"] == ALERT.title
    assert "payload" not in last


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (json_answer(400, status="invalid event", message="x", errors=["bad"]), InvalidPayload),
        (
            json_answer(400, status="invalid event", message="x", errors=["'routing_key' is bad"]),
            AuthenticationFailed,
        ),
        (json_answer(429), RateLimited),
        (json_answer(500), ServiceUnavailable),
        ((202, {}, b"<html>"), ServiceUnavailable),
    ],
)
def test_each_answer_of_pagerduty_means_something(answer: Answer, kind: type[ServiceError]) -> None:
    """A refused key is told apart from a refused event; the key is in no message."""
    error, _ = tried(_pagerduty, [answer])

    assert type(error) is kind
    assert KEY not in error.message


# apprise


def test_apprise_reaches_an_address_of_its_own() -> None:
    """Title, body and how bad it is arrive at a json:// address."""
    error, server = tried(_apprise, [(200, {}, b"{}")])
    sent = json.loads(server.requests[0].body)

    assert error is None
    assert sent["title"] == f"[critical] {ALERT.title}"
    assert sent["type"] == "failure"


def test_an_address_that_fails_fails_the_delivery_and_keeps_its_token() -> None:
    """What apprise logs is told without the address."""
    error, _ = tried(_apprise, [(503, {}, b"")])

    assert isinstance(error, ServiceUnavailable)
    assert KEY not in error.message


def test_one_apprise_address_that_is_gone_repeats_nothing_to_the_others() -> None:
    """The address that works has each alert once; the one that a person must mend is told."""

    async def story() -> None:
        async with (
            HttpServer([], forever=(200, {}, b"")) as good,
            HttpServer([(404, {}, b"")]) as bad,
        ):
            urls = " ".join(each.base_url.replace("http", "json") for each in (good, bad))
            doors = RealDoors(
                http_for=lambda base_url: HttpxClient(base_url=base_url),
                environ={"CALLAGENT_APPRISE_URLS": urls},
            )
            desk = Desk(*doors.channels(Alerts(apprise=Apprise()), system_clock()))
            desk.raise_(alert())
            for _ in range(3):
                await desk.outbox.flush(5)
            desk.outbox.close()

        assert len(good.requests) == 1
        (broken,) = (entry for entry in desk.said if entry[0] == "broken")
        assert broken[1] == "apprise-2"
        assert "error=404" in broken[2]
        assert "correct its address" in broken[2]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("alerts", "environ"),
    [
        (Alerts(slack=Slack()), {}),
        (Alerts(slack=Slack()), {"SLACK_WEBHOOK_URL": "hooks.example"}),
        (Alerts(slack=Slack()), {"SLACK_WEBHOOK_URL": "https://hooks.example:99999/x"}),
        (Alerts(pagerduty=PagerDuty()), {}),
        (Alerts(apprise=Apprise()), {}),
        (Alerts(apprise=Apprise()), {"CALLAGENT_APPRISE_URLS": "nonsense://x"}),
    ],
)
def test_a_channel_that_cannot_work_stops_the_start(
    alerts: Alerts, environ: dict[str, str]
) -> None:
    """Two lines say what is missing."""
    with pytest.raises(SettingsError) as raised:
        channel_of(alerts, environ)

    assert raised.value.hint


# The dead-man's switch


class _Switch:
    """An address that answers as told, and notes when it was asked for."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.asked_s: list[float] = []

    async def send(self, _: Request) -> Response:
        self.asked_s.append(asyncio.get_running_loop().time())
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 0:
            raise NotSent("refused")
        return Response(status, {}, b"")

    async def close(self) -> None:
        """Nothing to release."""


def _heartbeat(
    switch: _Switch, said: list[tuple[str, ...]], clock: Clock, *, broken: bool = False
) -> Heartbeat:
    exchange = Exchange(http=switch, service="heartbeat", utc=clock.utc, secret="")
    return Heartbeat(
        Ping(exchange, path="/ping"),
        clock,
        on_broken=lambda name, why: said.append(("broken", name, why)),
        on_works=lambda name: said.append(("works", name)),
        broken=broken,
    )


def test_the_switch_is_asked_for_each_minute() -> None:
    """While a worker lives, a request a minute; what is lost is told once, and its end too."""

    async def story() -> None:
        switch, said = _Switch(200, 0, 503, 0), list[tuple[str, ...]]()
        heart = _heartbeat(switch, said, loop_clock())
        beating = asyncio.create_task(heart.run())
        await asyncio.sleep(EVERY_S * 10 - 1)
        beating.cancel()
        await asyncio.wait({beating})
        await heart.close()

        waits = {b - a for a, b in zip(switch.asked_s, switch.asked_s[1:], strict=False)}
        assert waits == {60.0}
        assert [entry[:2] for entry in said] == [("broken", "heartbeat"), ("works", "heartbeat")]

    run_jumping(story())


def _beaten(minutes: int, *statuses: int, broken: bool = False) -> tuple[list[float], list[str]]:
    """Return at which minutes the switch was asked for, and what was said of it."""

    async def story() -> tuple[list[float], list[str]]:
        switch, said = _Switch(*statuses), list[tuple[str, ...]]()
        heart = _heartbeat(switch, said, loop_clock(), broken=broken)
        beating = asyncio.create_task(heart.run())
        await asyncio.sleep(EVERY_S * minutes - 1)
        beating.cancel()
        await asyncio.wait({beating})
        await heart.close()
        return [at_s / EVERY_S for at_s in switch.asked_s], [entry[0] for entry in said]

    return run_jumping(story())


@pytest.mark.parametrize("status", [401, 402, 403, 404, 429, 503])
def test_no_answer_of_the_switch_keeps_back_a_ping(status: int) -> None:
    """A gap would be an alarm outside: after a quarter of an hour of it, too."""
    minutes, said = _beaten(30, *[status] * 15)

    assert minutes == list(range(30))
    assert said == ["broken", "works"]


@pytest.mark.parametrize(
    ("statuses", "expected"), [((401,), ["broken", "works"]), ((503, 503), []), ((503, 200), [])]
)
def test_a_switch_that_refuses_us_is_told_at_once(
    statuses: tuple[int, ...], expected: list[str]
) -> None:
    """One lost ping says nothing, but a wrong address does not become right by waiting."""
    assert _beaten(5, *statuses)[1] == expected


def test_a_switch_that_an_earlier_run_told_of_is_said_to_work_again() -> None:
    """Its incident would stay open for ever otherwise; while it lasts it is not told again."""
    assert _beaten(5, 401, broken=True)[1] == ["works"]
