"""What receivers of alerts do wrong, and what must become of it: the table of bad answers."""

from dataclasses import dataclass

from loopback_servers import Answer, json_answer

HTML: Answer = (200, {"content-type": "text/html"}, b"<html>Please sign in</html>")
BAD_GATEWAY: Answer = (502, {"content-type": "text/html"}, b"<html>bad gateway</html>")
SLOW_DOWN: Answer = (429, {"retry-after": "420"}, b"")


def _telegram(description: str, status: int) -> Answer:
    return json_answer(status, ok=False, error_code=status, description=description)


GOOD: dict[str, Answer] = {
    "telegram": json_answer(200, ok=True, result={"message_id": 1}),
    "webhook": (204, {}, b""),
    "slack": (200, {}, b"ok"),
    "pagerduty": json_answer(202, status="success", message="Event processed"),
}


@dataclass(frozen=True)
class Case:
    """What a receiver does, and what must become of it.

    `tries` is how often it may be asked in the 40 minutes; `least_s` the least time between two of
    its requests; `lost` that the alert is given up there, or kept until a person acts.
    """

    channel: str
    answer: Answer | str
    kind: str
    words: tuple[str, ...]
    tries: tuple[int, int]
    least_s: float = 3.0
    lost: bool = False


BEYOND_MENDING = ("closed", "plain where TLS is set", "unknown certificate")
"""What stands in the settings, or has no server any more."""

AGAIN = (4, 20)
"""Tried again by itself: after 5, 10, 20 s, then after minutes."""

BY_A_PERSON = (3, 3)
"""Only a person can mend it, so it is tried at once and every 15 minutes."""

ONCE = (1, 1)

CASES = {
    "telegram, wrong token": Case(
        "telegram",
        _telegram("Unauthorized", 401),
        "AuthenticationFailed",
        ("Unauthorized", "correct the token"),
        BY_A_PERSON,
        least_s=900,
    ),
    "telegram, blocked bot": Case(
        "telegram",
        _telegram("Forbidden: bot was blocked by the user", 403),
        "AuthenticationFailed",
        ("blocked", "let the bot into the chat again"),
        BY_A_PERSON,
        least_s=900,
    ),
    "telegram, no such chat": Case(
        "telegram",
        _telegram("Bad Request: chat not found", 400),
        "Misconfigured",
        ("chat not found", "correct `alerts.telegram.chat_id`"),
        BY_A_PERSON,
        least_s=900,
    ),
    "telegram, asks to wait": Case(
        "telegram",
        json_answer(
            429, ok=False, description="Too Many Requests", parameters={"retry_after": 420}
        ),
        "RateLimited",
        ("Too Many Requests",),
        (4, 6),
        least_s=420,
    ),
    "telegram, HTML for JSON": Case(
        "telegram", HTML, "ServiceUnavailable", ("no answer of Telegram", "base_url"), AGAIN
    ),
    "telegram, a proxy's page": Case(
        "telegram", BAD_GATEWAY, "ServiceUnavailable", ("answered 502",), AGAIN
    ),
    "telegram, closed port": Case(
        "telegram", "closed", "NetworkFailure", ("telegram: ", "connect"), (0, 0)
    ),
    "telegram, TLS mismatch": Case(
        "telegram",
        "plain where TLS is set",
        "NetworkFailure",
        ("no secure connection", "correct http, https and port"),
        AGAIN,
    ),
    "telegram, gone": Case(
        "telegram",
        (410, {}, b""),
        "Misconfigured",
        ("correct `alerts.telegram.base_url`",),
        ONCE,
        lost=True,
    ),
    "telegram, breaks off": Case(
        "telegram", "breaks off", "ServiceUnavailable", ("telegram: ",), AGAIN
    ),
    "webhook, gone": Case(
        "webhook",
        (410, {}, b"<html>gone</html>"),
        "Misconfigured",
        ("answered 410", "correct or remove `alerts.webhook`"),
        ONCE,
        lost=True,
    ),
    "webhook, wrong secret": Case(
        "webhook",
        (401, {}, b""),
        "AuthenticationFailed",
        ("compare the secrets",),
        BY_A_PERSON,
        least_s=900,
    ),
    "webhook, wrong address": Case(
        "webhook",
        (404, {}, b""),
        "Misconfigured",
        ("correct `alerts.webhook.url`",),
        BY_A_PERSON,
        least_s=900,
    ),
    "webhook, refuses this alert": Case(
        "webhook", (422, {}, b""), "InvalidPayload", ("answered 422",), ONCE, lost=True
    ),
    "webhook, asks to wait": Case(
        "webhook", SLOW_DOWN, "RateLimited", ("answered 429",), (4, 6), least_s=420
    ),
    "webhook, TLS mismatch": Case(
        "webhook",
        "plain where TLS is set",
        "NetworkFailure",
        ("no secure connection", "correct http, https and port"),
        AGAIN,
    ),
    "webhook, moved for good": Case(
        "webhook",
        (308, {"location": "/elsewhere"}, b""),
        "ServiceUnavailable",
        ("correct `alerts.webhook.url`",),
        AGAIN,
    ),
    "webhook, redirects": Case(
        "webhook",
        (302, {"location": "http://127.0.0.1:1/"}, b""),
        "ServiceUnavailable",
        ("correct `alerts.webhook.url`",),
        AGAIN,
    ),
    "slack, removed webhook": Case(
        "slack",
        (404, {}, b"no_service"),
        "AuthenticationFailed",
        ("was removed", "make a new incoming webhook"),
        BY_A_PERSON,
        least_s=900,
    ),
    "slack, archived channel": Case(
        "slack",
        (410, {}, b"channel_is_archived"),
        "Misconfigured",
        ("archived", "restore it"),
        ONCE,
        lost=True,
    ),
    "slack, asks to wait": Case(
        "slack",
        SLOW_DOWN,
        "RateLimited",
        ("answered 429", "tried again by itself"),
        (4, 6),
        least_s=420,
    ),
    "slack, does not know us": Case(
        "slack",
        (401, {}, b""),
        "AuthenticationFailed",
        ("make a new incoming webhook",),
        BY_A_PERSON,
        least_s=900,
    ),
    "slack, moved for good": Case(
        "slack",
        (301, {"location": "/elsewhere"}, b""),
        "ServiceUnavailable",
        ("sends elsewhere", "correct `alerts.slack.url`"),
        AGAIN,
    ),
    "slack, TLS mismatch": Case(
        "slack",
        "plain where TLS is set",
        "NetworkFailure",
        ("no secure connection", "correct http, https and port"),
        AGAIN,
    ),
    "slack, HTML for `ok`": Case(
        "slack",
        HTML,
        "ServiceUnavailable",
        ("slack answered 200", "no answer of Slack's"),
        AGAIN,
    ),
    "pagerduty, wrong key": Case(
        "pagerduty",
        json_answer(400, status="invalid event", message="x", errors=["'routing_key' is invalid"]),
        "AuthenticationFailed",
        ("correct the routing key",),
        BY_A_PERSON,
        least_s=900,
    ),
    "pagerduty, wrong address": Case(
        "pagerduty",
        (404, {}, b"<html>not found</html>"),
        "Misconfigured",
        ("correct `alerts.pagerduty.base_url`",),
        BY_A_PERSON,
        least_s=900,
    ),
    "pagerduty, TLS mismatch": Case(
        "pagerduty",
        "plain where TLS is set",
        "NetworkFailure",
        ("no secure connection", "correct http, https and port"),
        AGAIN,
    ),
    "pagerduty, refuses this event": Case(
        "pagerduty",
        json_answer(400, status="invalid event", message="x", errors=["summary is missing"]),
        "InvalidPayload",
        ("summary is missing",),
        ONCE,
        lost=True,
    ),
    "pagerduty, asks to wait": Case(
        "pagerduty", SLOW_DOWN, "RateLimited", ("answered 429",), (4, 6), least_s=420
    ),
    "pagerduty, HTML for JSON": Case(
        "pagerduty", HTML, "ServiceUnavailable", ("no answer of PagerDuty",), AGAIN
    ),
    "email, wrong password": Case(
        "email",
        "wrong password",
        "AuthenticationFailed",
        ("user or password was refused", "correct `alerts.email`"),
        BY_A_PERSON,
        least_s=900,
    ),
    "email, TLS mismatch": Case(
        "email",
        "plain where TLS is set",
        "Misconfigured",
        ("no secure connection", "correct `tls`"),
        BY_A_PERSON,
        least_s=900,
    ),
    "email, a certificate of nobody": Case(
        "email",
        "unknown certificate",
        "Misconfigured",
        ("no secure connection", "`ca_file`"),
        BY_A_PERSON,
        least_s=900,
    ),
    "email, closed port": Case(
        "email", "closed", "NetworkFailure", ("cannot be reached", "correct `host`"), (0, 0)
    ),
    "email, asks to come back": Case(
        "email", "later", "ServiceUnavailable", ("come back later",), AGAIN
    ),
}
