"""What is kept of each service: its breaker across restarts, and its health for `status`."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from callagent_cli.events import (
    BreakerChanged,
    GateClosed,
    HealthChecked,
    ServiceDegraded,
    Stamped,
    StepDegraded,
)
from callagent_cli.resilience.breaker import Breaker, BreakerRecord
from callagent_cli.resilience.guard import Guard
from callagent_cli.settings import Settings
from callagent_cli.store.documents import SERVICE, ServiceDocument, read_services
from callagent_cli.worker.resources import Resources


def take_up(breaker: Breaker, document: ServiceDocument) -> None:
    """Put a breaker where its stored record says; a record of another shape changes nothing."""
    try:
        record = msgspec.json.decode(document.breaker, type=BreakerRecord)
    except msgspec.DecodeError:
        return
    breaker.restore(record)


def documented(known: ServiceDocument, breaker: Breaker, now_utc_s: float) -> ServiceDocument:
    """Return a service's document with its breaker as it stands."""
    waits = breaker.state in {"open", "isolated"} and 0 < breaker.retry_after_s < float("inf")
    return msgspec.structs.replace(
        known,
        breaker=_encoded(breaker),
        open_until_utc_s=now_utc_s + breaker.retry_after_s if waits else None,
        saved_utc_s=now_utc_s,
    )


def _encoded(breaker: Breaker) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(breaker.record()))


def unknown_service(name: str, now_utc_s: float) -> ServiceDocument:
    """Return the document of a service of which nothing is known: its breaker is closed."""
    record = msgspec.Raw(msgspec.json.encode(BreakerRecord(state="closed")))
    return ServiceDocument(service=name, breaker=record, since_utc_s=now_utc_s)


def fingerprints(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return a hash of what each service's access depends on; the credential is not in it."""
    voice, llm, crm = settings.services.elevenlabs, settings.services.llm, settings.services.crm
    parts = {
        "elevenlabs": [
            voice.api_key.read(environ),
            voice.base_url,
            voice.agent_id,
            voice.agent_phone_number_id,
        ],
        "llm": [llm.api_key.read(environ), llm.base_url, llm.model],
        "crm": [crm.token.read(environ), crm.base_url],
    }
    if llm.fallback is not None:
        second = llm.fallback
        parts["llm_fallback"] = [second.api_key.read(environ), second.base_url, second.model]
    return {
        name: hashlib.sha256("\0".join(values).encode()).hexdigest()[:16]
        for name, values in parts.items()
    }


class ServiceDocuments:
    """Restores the breakers at the start and saves each service whenever it moves.

    A health check that tells nothing new of a service is only noted: it is saved with the next
    beat of the worker's housekeeping, which writes anyway.
    """

    def __init__(self, resources: Resources, fingerprints: Mapping[str, str]) -> None:
        self._resources = resources
        self._fingerprints = fingerprints
        self._known: dict[str, ServiceDocument] = {}
        self._noted: set[str] = set()

    def restore(self) -> None:
        """Take up the stored breakers, then follow what happens to them."""
        stored = read_services(self._resources.store.documents(SERVICE))
        for name, guard in self._resources.services.guards.items():
            document = stored.get(name)
            if document is not None:
                self._take_up(guard, document)
            self._save(name, moved=document is None)
        self._resources.at_beat.append(self._save_noted)
        self._resources.bus.listen(
            self._listen, HealthChecked, ServiceDegraded, BreakerChanged, StepDegraded, GateClosed
        )

    def _take_up(self, guard: Guard, document: ServiceDocument) -> None:
        name = guard.service
        # Nobody says again that a step is degraded or a service doubtful: it begins afresh.
        self._known[name] = msgspec.structs.replace(
            document, degraded=False, degraded_reason="", fallback={}
        )
        take_up(guard.breaker, document)
        changed = document.fingerprint != self._fingerprints.get(name, "")
        if changed and document.fingerprint:
            guard.breaker.credential_changed()
        guard.arm()
        if document.gate_until_utc_s is not None:
            # A calendar set back meanwhile must not make the wait longer than it was.
            since_utc_s = max(document.saved_utc_s, self._resources.clock.utc())
            guard.gate.close_for(max(0.0, document.gate_until_utc_s - since_utc_s))

    def _listen(self, stamped: Stamped) -> None:
        event = stamped.event
        if isinstance(event, HealthChecked):
            self._checked(event, stamped.utc_s)
        elif isinstance(event, ServiceDegraded):
            self._save(event.service, degraded=event.degraded, degraded_reason=event.reason)
        elif isinstance(event, BreakerChanged):
            self._save(event.service, moved=True, error_message=event.error_message)
        elif isinstance(event, StepDegraded):
            self._stand_in(event)
        elif isinstance(event, GateClosed):
            self._gate_closed(event, stamped)

    def _gate_closed(self, event: GateClosed, stamped: Stamped) -> None:
        guard = self._resources.services.guards.get(event.service)
        if guard is not None:  # An earlier, longer wait stays in force, also after a restart.
            still_s = guard.gate.not_before_s - stamped.monotonic_s
            wait_s = max(event.delay_s or 0.0, still_s)
            self._save(event.service, gate_until_utc_s=stamped.utc_s + wait_s)

    def _checked(self, event: HealthChecked, now_utc_s: float) -> None:
        name = event.service
        known = self._known.get(name)
        changes: dict[str, Any] = {
            "health": event.health,
            "checked_utc_s": now_utc_s,
            "next_check_utc_s": now_utc_s + event.next_check_s,
            "error_message": event.error_message,
        }
        if known is not None and self._is_nothing_new(event, known):
            self._known[name] = msgspec.structs.replace(known, **changes)
            self._noted.add(name)
        else:
            self._save(name, **changes)

    def _is_nothing_new(self, event: HealthChecked, known: ServiceDocument) -> bool:
        """Tell whether a check leaves a service as it is kept: its breaker, health and error."""
        if (event.health, event.error_message) != (known.health, known.error_message):
            return False
        breaker = self._resources.services.guards[event.service].breaker
        return breaker.state == "closed" or _encoded(breaker) == known.breaker

    def _save_noted(self) -> None:
        for name in sorted(self._noted):
            self._save(name)

    def _stand_in(self, event: StepDegraded) -> None:
        known = self._known.get(event.service)
        fallback = dict(known.fallback) if known else {}
        if event.active:
            fallback[event.step] = event.instead
        else:
            fallback.pop(event.step, None)
        self._save(event.service, fallback=fallback)

    def _save(self, name: str, *, moved: bool = False, **changes: object) -> None:
        resources = self._resources
        guard = resources.services.guards.get(name)
        if guard is None:
            return
        now_utc_s = resources.clock.utc()
        known = self._known.get(name) or unknown_service(name, now_utc_s)
        document = msgspec.structs.replace(
            documented(known, guard.breaker, now_utc_s),
            since_utc_s=now_utc_s if moved else known.since_utc_s,
            fingerprint=self._fingerprints.get(name, ""),
            **changes,
        )
        self._known[name] = document
        self._noted.discard(name)
        resources.store.put(SERVICE, name, msgspec.json.encode(document))
