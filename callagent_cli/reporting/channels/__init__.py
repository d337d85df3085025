"""The ways to reach a person: email, Telegram, a webhook, and the pretended form of each."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from callagent_cli.clock import Clock
from callagent_cli.errors import SettingsError
from callagent_cli.reporting.alert import Channel
from callagent_cli.reporting.channels.mock import MockChannel
from callagent_cli.reporting.sinks import Sink
from callagent_cli.services.http import Http
from callagent_cli.settings import Alerts, Credential, Email, Telegram, Webhook

__all__ = ["choose"]

HttpFor = Callable[[str], Http]


def choose(
    alerts: Alerts,
    *,
    mock_sink: Sink,
    clock: Clock,
    http_for: HttpFor | None,
    environ: Mapping[str, str],
) -> list[Channel]:
    """Return a channel of each kind: the real one where it is set, else its mock.

    Raises `SettingsError` when a real one lacks its secret.
    """
    client = http_for or _httpx
    return [
        _email(alerts.email, environ) if alerts.email else MockChannel("email", mock_sink, clock),
        _telegram(alerts.telegram, clock, client, environ)
        if alerts.telegram
        else MockChannel("telegram", mock_sink, clock),
        _webhook(alerts.webhook, clock, client, environ)
        if alerts.webhook
        else MockChannel("webhook", mock_sink, clock),
    ]


# The real channels are imported where they are made: a simulation has no door to any of them.


def _httpx(base_url: str) -> Http:
    from callagent_cli.services.httpx_client import HttpxClient  # noqa: PLC0415 — see above.

    return HttpxClient(base_url=base_url)


def _email(settings: Email, environ: Mapping[str, str]) -> Channel:
    from callagent_cli.reporting.channels.email import EmailChannel  # noqa: PLC0415 — see above.

    password = settings.password.read(environ)
    if settings.username and not password:
        raise _missing("alerts.email.password", settings.password)
    return EmailChannel(settings, password=password)


def _telegram(
    settings: Telegram, clock: Clock, http_for: HttpFor, environ: Mapping[str, str]
) -> Channel:
    from callagent_cli.reporting.channels.telegram import (  # noqa: PLC0415 — see above.
        TelegramChannel,
    )
    from callagent_cli.services.exchange import Exchange  # noqa: PLC0415 — see above.

    token = settings.token.read(environ)
    if not token:
        raise _missing("alerts.telegram.token", settings.token)
    exchange = Exchange(
        http=http_for(settings.base_url), service="telegram", utc=clock.utc, secret=token
    )
    return TelegramChannel(exchange, token=token, chat_id=settings.chat_id)


def _webhook(
    settings: Webhook, clock: Clock, http_for: HttpFor, environ: Mapping[str, str]
) -> Channel:
    from callagent_cli.reporting.channels.webhook import WebhookChannel  # noqa: PLC0415 — see above.
    from callagent_cli.services.exchange import Exchange  # noqa: PLC0415 — see above.

    address = urlsplit(settings.url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise SettingsError(
            "`alerts.webhook.url` is no web address", hint="write it as https://host/path"
        )
    secret = settings.secret.read(environ)
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    exchange = Exchange(
        http=http_for(f"{address.scheme}://{address.netloc}"),
        service="webhook",
        utc=clock.utc,
        secret=secret,
    )
    return WebhookChannel(exchange, path=path, secrets=secret.split(), utc=clock.utc)


def _missing(key: str, credential: Credential) -> SettingsError:
    where = f"set {credential.env}" if credential.env else "set its `env` or `file`"
    return SettingsError(f"`{key}` is not given", hint=f"{where}, or remove the channel")
