"""The doors to the outside: the real channels and the real sheet, where the settings name them.

A simulation imports nothing from here, and so it can reach nobody.
"""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from callagent_cli.clock import Clock
from callagent_cli.errors import SettingsError
from callagent_cli.reporting.alert import Channel
from callagent_cli.reporting.channels.apprise import AppriseChannel
from callagent_cli.reporting.channels.email import EmailChannel
from callagent_cli.reporting.channels.pagerduty import PagerDutyChannel
from callagent_cli.reporting.channels.slack import SlackChannel
from callagent_cli.reporting.channels.telegram import TelegramChannel
from callagent_cli.reporting.channels.webhook import WebhookChannel
from callagent_cli.reporting.gspread_writer import GspreadWriter, sheet_writer
from callagent_cli.reporting.heartbeat import Ping
from callagent_cli.services.exchange import Exchange
from callagent_cli.services.http import Http
from callagent_cli.settings import (
    Alerts,
    Apprise,
    Credential,
    Email,
    PagerDuty,
    Sheet,
    Slack,
    Telegram,
    Webhook,
)


class RealDoors:
    """Opens what the settings name; `environ` holds the secrets.

    `http_for` returns a client for a base address; the channels close it.
    """

    def __init__(self, *, http_for: Callable[[str], Http], environ: Mapping[str, str]) -> None:
        self._http_for = http_for
        self._environ = environ

    def channels(self, alerts: Alerts, clock: Clock) -> list[Channel]:
        """Return the channels that are set; raises `SettingsError` when one lacks its secret."""
        channels: list[Channel] = []
        if alerts.email is not None:
            channels.append(self._email(alerts.email))
        if alerts.telegram is not None:
            channels.append(self._telegram(alerts.telegram, clock))
        if alerts.webhook is not None:
            channels.append(self._webhook(alerts.webhook, clock))
        if alerts.slack is not None:
            channels.append(self._slack(alerts.slack, clock))
        if alerts.pagerduty is not None:
            channels.append(self._pagerduty(alerts.pagerduty, clock))
        if alerts.apprise is not None:
            channels += self._apprise(alerts.apprise)
        return channels

    def heartbeat(self, url: str, clock: Clock) -> Ping:
        """Return what tells a dead-man's switch that the worker lives; raises `SettingsError`."""
        base_url, path = _address(url, "alerts.heartbeat_url")
        http = self._http_for(base_url)
        exchange = Exchange(http=http, service="heartbeat", utc=clock.utc, secret=path)
        return Ping(exchange, path=path)

    def sheet(self, settings: Sheet) -> Callable[[], GspreadWriter]:
        """Return what opens the sheet; raises `SettingsError` without a service account."""
        return sheet_writer(settings, self._environ)

    def _email(self, settings: Email) -> Channel:
        password = settings.password.read(self._environ)
        if settings.username and not password:
            raise _missing("alerts.email.password", settings.password)
        return EmailChannel(settings, password=password)

    def _telegram(self, settings: Telegram, clock: Clock) -> Channel:
        token = settings.token.read(self._environ)
        if not token:
            raise _missing("alerts.telegram.token", settings.token)
        http = self._http_for(settings.base_url)
        exchange = Exchange(http=http, service="telegram", utc=clock.utc, secret=token)
        return TelegramChannel(exchange, token=token, chat_id=settings.chat_id)

    def _webhook(self, settings: Webhook, clock: Clock) -> Channel:
        base_url, path = _address(settings.url, "alerts.webhook.url")
        secret = settings.secret.read(self._environ)
        http = self._http_for(base_url)
        exchange = Exchange(http=http, service="webhook", utc=clock.utc, secret=secret)
        return WebhookChannel(exchange, path=path, secrets=secret.split(), utc=clock.utc)

    def _slack(self, settings: Slack, clock: Clock) -> Channel:
        url = settings.url.read(self._environ)
        if not url:
            raise _missing("alerts.slack.url", settings.url)
        base_url, path = _address(url, "alerts.slack.url")
        http = self._http_for(base_url)
        exchange = Exchange(http=http, service="slack", utc=clock.utc, secret=path)
        return SlackChannel(exchange, path=path)

    def _pagerduty(self, settings: PagerDuty, clock: Clock) -> Channel:
        key = settings.routing_key.read(self._environ)
        if not key:
            raise _missing("alerts.pagerduty.routing_key", settings.routing_key)
        http = self._http_for(settings.base_url)
        exchange = Exchange(http=http, service="pagerduty", utc=clock.utc, secret=key)
        return PagerDutyChannel(exchange, routing_key=key)

    def _apprise(self, settings: Apprise) -> list[Channel]:
        """Return a channel for each address: what one refuses, the others have already."""
        addresses = settings.urls.read(self._environ).split()
        if not addresses:
            raise _missing("alerts.apprise.urls", settings.urls)
        return [AppriseChannel(each, number=place) for place, each in enumerate(addresses, 1)]


def _address(url: str, key: str) -> tuple[str, str]:
    """Return the base address and the path of a web address; raises `SettingsError`."""
    try:
        address = urlsplit(url)
        address.port  # noqa: B018 — it raises for what is no port.
    except ValueError:
        address = urlsplit("")
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise SettingsError(f"`{key}` is no web address", hint="write it as https://host/path")
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    return f"{address.scheme}://{address.netloc}", path


def _missing(key: str, credential: Credential) -> SettingsError:
    where = f"set {credential.env}" if credential.env else "set its `env` or `file`"
    return SettingsError(f"`{key}` is not given", hint=f"{where}, or remove the channel")
