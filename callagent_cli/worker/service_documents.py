"""What is kept of each service: its breaker across restarts, and its health for `status`."""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec

from callagent_cli.events import BreakerChanged, Health, HealthChecked, ServiceDegraded, Stamped
from callagent_cli.resilience.breaker import BreakerRecord
from callagent_cli.resilience.guard import Guard
from callagent_cli.settings import Settings
from callagent_cli.worker.resources import Resources

KIND: Final = "service"


class ServiceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One service as it was last seen; times are UTC seconds.

    `fingerprint` is a hash of its credential and account settings: when that changes, what was
    isolated for them may be tried again.
    """

    service: str
    breaker: BreakerRecord
    since_utc_s: float
    open_until_utc_s: float | None = None
    health: Health = "unknown"
    checked_utc_s: float | None = None
    next_check_utc_s: float | None = None
    degraded: bool = False
    degraded_reason: str = ""
    error_message: str = ""
    fingerprint: str = ""
    saved_utc_s: float = 0.0


def read_documents(documents: list[tuple[str, bytes]]) -> dict[str, ServiceDocument]:
    """Return the stored services by name; a document of another shape is left out."""
    found = {}
    for name, body in documents:
        try:
            found[name] = msgspec.json.decode(body, type=ServiceDocument)
        except msgspec.ValidationError:
            continue  # Written by another version: the service is simply not known yet.
    return found


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
    """Restores the breakers at the start and saves each service whenever it moves."""

    def __init__(self, resources: Resources, fingerprints: Mapping[str, str]) -> None:
        self._resources = resources
        self._fingerprints = fingerprints
        self._known: dict[str, ServiceDocument] = {}

    def restore(self) -> None:
        """Take up the stored breakers, then follow what happens to them."""
        stored = read_documents(self._resources.store.documents(KIND))
        for name, guard in self._resources.services.guards.items():
            document = stored.get(name)
            if document is not None:
                self._take_up(guard, document)
            self._save(name, moved=document is None)
        self._resources.bus.listen(self._listen)

    def _take_up(self, guard: Guard, document: ServiceDocument) -> None:
        name = guard.service
        self._known[name] = document
        guard.breaker.restore(document.breaker)
        changed = document.fingerprint != self._fingerprints.get(name, "")
        if changed and document.fingerprint:
            guard.breaker.credential_changed()
        guard.arm()

    def _listen(self, stamped: Stamped) -> None:
        event = stamped.event
        if isinstance(event, HealthChecked):
            now_utc_s = stamped.utc_s
            self._save(
                event.service,
                health=event.health,
                checked_utc_s=now_utc_s,
                next_check_utc_s=now_utc_s + event.next_check_s,
                error_message=event.error_message,
            )
        elif isinstance(event, ServiceDegraded):
            self._save(event.service, degraded=event.degraded, degraded_reason=event.reason)
        elif isinstance(event, BreakerChanged):
            self._save(event.service, moved=True, error_message=event.error_message)

    def _save(self, name: str, *, moved: bool = False, **changes: object) -> None:
        resources = self._resources
        guard = resources.services.guards.get(name)
        if guard is None:
            return
        now_utc_s = resources.clock.utc()
        breaker = guard.breaker
        record = breaker.record()
        waiting = breaker.state in {"open", "isolated"} and breaker.retry_after_s > 0
        known = self._known.get(name) or ServiceDocument(
            service=name, breaker=record, since_utc_s=now_utc_s
        )
        document = msgspec.structs.replace(
            known,
            breaker=record,
            since_utc_s=now_utc_s if moved else known.since_utc_s,
            open_until_utc_s=now_utc_s + breaker.retry_after_s if waiting else None,
            fingerprint=self._fingerprints.get(name, ""),
            saved_utc_s=now_utc_s,
            **changes,
        )
        self._known[name] = document
        resources.store.put(KIND, name, msgspec.json.encode(document))
