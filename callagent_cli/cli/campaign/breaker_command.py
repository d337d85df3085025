"""What `callagent breaker` does: through the living worker, or to the stored breaker."""

import os
import time
from pathlib import Path
from typing import Literal

import msgspec

from callagent_cli.cli.place.command_log import command_log
from callagent_cli.cli.place.living_worker import ask, not_yet
from callagent_cli.cli.place.operator import operator_name
from callagent_cli.cli.place.service_names import require_service
from callagent_cli.cli.place.workplace import Workplace, workplace
from callagent_cli.cli.text.output import standard_output
from callagent_cli.clock import system_clock
from callagent_cli.errors import ExitCode
from callagent_cli.events import CommandObeyed
from callagent_cli.resilience.breaker import Breaker
from callagent_cli.resilience.policy import BreakerPolicy
from callagent_cli.store.documents import SERVICE, ServiceDocument, read_services
from callagent_cli.store.lock import WorkerLock
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.kept.services import documented, take_up, unknown_service

Action = Literal["trip", "reset"]


def move_breaker(action: Action, service: str, config: Path | None) -> int:
    """Trip or reset a service's breaker and say how it stands; raises `CallAgentError`s."""
    place = workplace(config, os.environ)
    require_service(place.settings, service)
    store = place.write_store()
    try:
        answer = ask(place, store, action, service)
        if answer is None:
            text = _stored(place, store, action, service)
        elif answer.obeyed:
            text = _told(action, _stand(store, service))
        else:
            later = "it is tripped" if action == "trip" else "it is reset"
            text = not_yet(answer, later)
    finally:
        store.close()
    standard_output().line(place.title(text))
    return int(ExitCode.DONE)


def _stand(store: SqliteStore, service: str) -> ServiceDocument:
    known = read_services(store.documents(SERVICE)).get(service)
    return known or unknown_service(service, time.time())


def _stored(place: Workplace, store: SqliteStore, action: Action, service: str) -> str:
    """Move the breaker where it is kept, as the worker would: nobody else may write meanwhile."""
    lock = WorkerLock(place.lock)
    lock.acquire(f"breaker {action} {service}")
    try:
        known = _stand(store, service)
        clock = system_clock()
        breaker = Breaker(service, BreakerPolicy(), monotonic=clock.monotonic, random=clock.random)
        take_up(breaker, known)
        before = breaker.state
        if action == "trip":
            breaker.isolate("operator", f"tripped by {operator_name()}")
        else:
            breaker.reset(f"reset by {operator_name()}")
        document = documented(known, breaker, clock.utc())
        if breaker.state != before:
            document = msgspec.structs.replace(document, since_utc_s=clock.utc())
        store.put(SERVICE, service, msgspec.json.encode(document))
        store.flush()
        with command_log(place, clock, "") as bus:
            bus.emit(CommandObeyed(command=action, argument=service, by=operator_name()))
    finally:
        lock.release()
    return f"{_told(action, document)} No worker runs: the next one finds it so."


def _told(action: Action, document: ServiceDocument) -> str:
    glance = document.glance
    reason = f" ({glance.reason})" if glance.reason else ""
    stands = f"the {document.service} breaker is {glance.state}{reason}"
    if action == "trip":
        return (
            f"{stands}: calls that need it wait. "
            f"Next: `callagent breaker reset {document.service}`."
        )
    return f"{stands}."
