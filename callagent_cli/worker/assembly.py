"""Puts a worker together from settings, time, storage and a way to reach the services."""

from collections.abc import Awaitable, Callable, Mapping

from callagent_cli.calls.windows import check_window
from callagent_cli.clock import Clock
from callagent_cli.errors import SettingsError
from callagent_cli.events import Bus
from callagent_cli.resilience.guard import Guard
from callagent_cli.resilience.health import HealthChecker
from callagent_cli.resilience.policy import Policy
from callagent_cli.services.anthropic import AnthropicAdapter
from callagent_cli.services.elevenlabs import ElevenLabsAdapter
from callagent_cli.services.health import health_of
from callagent_cli.services.http import Http
from callagent_cli.services.hubspot import HubSpotAdapter
from callagent_cli.services.openai import OpenAiAdapter
from callagent_cli.settings import Model, Settings, Window
from callagent_cli.store.port import Store
from callagent_cli.worker.control import Control
from callagent_cli.worker.kept.services import ServiceDocuments, fingerprints
from callagent_cli.worker.operations import operations
from callagent_cli.worker.ports import Composer, Suppressions
from callagent_cli.worker.resources import Resources, Services
from callagent_cli.worker.silent_door import SilentDoor
from callagent_cli.worker.steps.prompts import fields_of
from callagent_cli.worker.worker import Worker

Connect = Callable[[str, str], Http]
"""Makes the door to one service from its name and its base address."""


def assemble(
    settings: Settings,
    *,
    clock: Clock,
    bus: Bus,
    store: Store,
    campaign: str,
    environ: Mapping[str, str],
    connect: Connect,
    window: Window | None = None,
    redial_scale: float = 1.0,
    suppressions: Suppressions | None = None,
    max_wait_s: float | None = None,
) -> Worker:
    """Return a worker that is ready to run; must be called inside the running loop.

    Raises `SettingsError` when a secret cannot be read, the prompt is no template, or the window
    never opens.
    """
    fields_of(settings.services.llm.prompt)
    if window is not None:
        _check(window)
    services = _services(settings, clock, bus, environ=environ, connect=connect)
    resources = Resources(
        settings=settings,
        clock=clock,
        bus=bus,
        store=store,
        services=services,
        campaign=campaign,
        window=window,
        redial_scale=redial_scale,
        suppressions=suppressions,
    )
    control = Control(bus, settings.lanes)
    worker = Worker(resources, operations(settings), control, max_wait_s=max_wait_s)
    ServiceDocuments(resources, fingerprints(settings, environ)).restore()
    _add_checkers(worker, services)
    return worker


def _check(window: Window) -> None:
    try:
        check_window(window)
    except ValueError as error:
        message = f"`dialing.window` is never open: {error}"
        raise SettingsError(message, hint="give `opens`, a later `closes`, and `days`") from error


def _services(
    settings: Settings,
    clock: Clock,
    bus: Bus,
    *,
    environ: Mapping[str, str],
    connect: Connect,
) -> Services:
    voice, llm, crm = settings.services.elevenlabs, settings.services.llm, settings.services.crm
    models: list[tuple[str, Model]] = [("llm", llm)]
    if llm.fallback is not None:
        models.append(("llm_fallback", llm.fallback))
    policies: dict[str, Policy] = {"elevenlabs": voice.policy}
    policies |= {name: model.policy for name, model in models}
    if crm.provider == "hubspot":
        policies["crm"] = crm.policy
    guards = {name: Guard(name, policy, clock, emit=bus.emit) for name, policy in policies.items()}

    def silenced(service: str, base_url: str) -> Http:
        door = connect(service, base_url)
        return SilentDoor(door, guards[service].breaker, clock.monotonic)

    records = None
    if crm.provider == "hubspot":
        token = crm.token.read(environ)
        records = HubSpotAdapter(silenced("crm", crm.base_url), crm, token, clock.utc)
    door = silenced("elevenlabs", voice.base_url)
    return Services(
        telephony=ElevenLabsAdapter(door, voice, voice.api_key.read(environ), clock.utc),
        composers=tuple(
            (name, _composer(name, model, clock, environ=environ, connect=silenced))
            for name, model in models
        ),
        records=records,
        guards=guards,
    )


def _composer(
    name: str, model: Model, clock: Clock, *, environ: Mapping[str, str], connect: Connect
) -> Composer:
    key = model.api_key.read(environ)
    door = connect(name, model.base_url)
    if model.provider == "anthropic":
        return AnthropicAdapter(door, model, key, clock.utc, service=name)
    return OpenAiAdapter(door, model, key, clock.utc, service=name)


def _add_checkers(worker: Worker, services: Services) -> None:
    resources = worker.resources
    checks: dict[str, Callable[[], Awaitable[None]]] = {"elevenlabs": services.telephony.health}
    checks |= {name: composer.health for name, composer in services.composers}
    if services.records is not None:
        checks["crm"] = services.records.health

    def idle(service: str) -> Callable[[], bool]:
        return lambda: worker.agenda.idle(service, lanes_busy=worker.lanes_busy > 0)

    for name, check in checks.items():
        services.checkers[name] = HealthChecker(
            services.guards[name],
            check,
            resources.clock,
            judge=health_of,
            idle=idle(name),
            emit=resources.bus.emit,
        )
