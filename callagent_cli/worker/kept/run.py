"""Keeps in the store what a run is doing beyond its row, so that others can say why it waits."""

from typing import Any, Final

import msgspec

from callagent_cli.events import (
    CallChanged,
    RunDraining,
    RunPaused,
    RunResumed,
    RunStarted,
    RunWaiting,
    Stamped,
)
from callagent_cli.store.documents import RUN, RUN_KEY, RunDocument
from callagent_cli.worker.resources import Resources

_HEARD: Final = (CallChanged, RunStarted, RunPaused, RunResumed, RunDraining, RunWaiting)


class RunNotes:
    """Listens to a run, and saves its document whenever that changes."""

    def __init__(self, resources: Resources) -> None:
        self._store = resources.store
        self._document = RunDocument(run=resources.bus.run)
        self._save()
        resources.bus.listen(self._listen, *_HEARD)

    def _listen(self, stamped: Stamped) -> None:
        event = stamped.event
        if isinstance(event, CallChanged):
            if event.new == "active" and self._document.waiting:
                self._save(waiting="", waiting_due_utc_s=None)
        elif isinstance(event, RunStarted):
            self._save(contacts=event.contacts)
        elif isinstance(event, RunPaused):
            self._save(paused_by=event.by or "operator", paused_utc_s=stamped.utc_s)
        elif isinstance(event, RunResumed):
            self._save(paused_by="", paused_utc_s=None)
        elif isinstance(event, RunDraining):
            self._save(draining=event.reason)
        elif isinstance(event, RunWaiting):
            due_utc_s = None if event.due_in_s is None else stamped.utc_s + event.due_in_s
            self._save(waiting=event.reason, waiting_due_utc_s=due_utc_s)

    def _save(self, **changes: Any) -> None:  # noqa: ANN401 — the fields of RunDocument.
        self._document = msgspec.structs.replace(self._document, **changes)
        self._store.put(RUN, RUN_KEY, msgspec.json.encode(self._document))
