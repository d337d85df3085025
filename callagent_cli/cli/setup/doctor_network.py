"""The checks of `doctor` that ask somebody: services and their clock; nobody is dialed."""

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from email.utils import parsedate_to_datetime
from typing import Final

from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.cli.setup.doctor_channels import channel_checks
from callagent_cli.cli.setup.doctor_checks import Check
from callagent_cli.clock import system_clock
from callagent_cli.errors import NetworkFailure, SettingsError
from callagent_cli.events import Bus, HealthChecked, Stamped
from callagent_cli.services.http import Http, Request, Response
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.assembly import assemble

SKEW_MAX_S: Final = 5.0
"""Signed webhooks and tokens are refused when the clock is minutes off; warn long before."""


class _Listening:
    """Hands requests on and reads the clock of whoever answers."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.skew_s: float | None = None

    async def send(self, request: Request) -> Response:
        """Return the answer."""
        response = await self._http.send(request)
        date = response.headers.get("date", "")
        if date:
            try:
                self.skew_s = time.time() - parsedate_to_datetime(date).timestamp()
            except ValueError:
                self.skew_s = None
        return response

    async def close(self) -> None:
        """Release the connections."""
        await self._http.close()


async def network_checks(place: Workplace, environ: Mapping[str, str]) -> list[Check]:
    """Return what services, clocks and channels say."""
    checks: list[Check] = []
    if place.sandbox:
        text = "the sandbox brings its own; `mode: live` checks the real ones"
        checks.append(Check(name="services", status="ok", text=text))
    else:
        checks += await _readable_services(place, environ)
    return [*checks, *await channel_checks(place, environ)]


async def _readable_services(place: Workplace, environ: Mapping[str, str]) -> list[Check]:
    """Return what services and their clock say, or why the file of a key cannot be read."""
    try:
        return await _services(place, environ)
    except SettingsError as error:
        return [Check(name="services", status="failed", text=error.message, fix=error.hint)]


async def _services(place: Workplace, environ: Mapping[str, str]) -> list[Check]:
    clock = system_clock()
    bus = Bus(clock)
    doors: list[_Listening] = []
    answers: dict[str, HealthChecked] = {}

    def note(stamped: Stamped) -> None:
        if isinstance(stamped.event, HealthChecked):
            answers[stamped.event.service] = stamped.event

    def connect(_service: str, base_url: str) -> Http:
        doors.append(_Listening(HttpxClient(base_url=base_url)))
        return doors[-1]

    async with AsyncExitStack() as stack:
        store = SqliteStore.open(None)
        stack.callback(store.close)
        worker = assemble(
            place.settings,
            clock=clock,
            bus=bus,
            store=store,
            campaign="doctor",
            environ=environ,
            connect=connect,
        )
        for door in doors:
            stack.push_async_callback(door.close)
        bus.listen(note, HealthChecked)
        checks = []
        for name, checker in worker.resources.services.checkers.items():
            await checker.check_once(next_check_s=0.0)
            guard = worker.resources.services.guards[name]
            guard.disarm()
            checks.append(_health(name, answers[name]))
        return [*checks, _skew([door.skew_s for door in doors])]


def _health(name: str, answer: HealthChecked) -> Check:
    if answer.health == "healthy":
        return Check(name=name, status="ok", text="healthy")
    if answer.health == "unknown":
        fix = f"check the key and the address of `{name}` in `callagent.yaml`"
        return Check(name=name, status="failed", text="refuses the health check", fix=fix)
    if answer.error_class == NetworkFailure.__name__:
        text = f"cannot be reached ({answer.error_message})"
        fix = f"check the address of `{name}` in `callagent.yaml`, and the network from here"
        return Check(name=name, status="failed", text=text, fix=fix)
    text = f"does not answer as it should ({answer.error_message})"
    fix = "look at its status page; a run waits for it"
    return Check(name=name, status="failed", text=text, fix=fix)


def _skew(skews_s: list[float | None]) -> Check:
    known = [skew_s for skew_s in skews_s if skew_s is not None]
    if not known:
        fix = "ask again once a service answers, or compare this machine's clock by NTP"
        return Check(name="clock", status="warning", text="no service told its time", fix=fix)
    worst_s = max(known, key=abs)
    text = f"{abs(worst_s):.0f} s {'ahead' if worst_s > 0 else 'behind'} of the services"
    if abs(worst_s) > SKEW_MAX_S:
        fix = "set this machine's clock by NTP"
        return Check(name="clock", status="warning", text=text, fix=fix)
    return Check(name="clock", status="ok", text=text)
