"""What the rules of an incident book share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from callagent_cli.events import AlertRaised
from callagent_cli.reporting.incidents.affected import Affected
from callagent_cli.reporting.incidents.failures import Failing
from callagent_cli.reporting.incidents.moves import Moves
from callagent_cli.reporting.incidents.open_incidents import OpenIncidents
from callagent_cli.reporting.incidents.timers import Now

Alerts = list[AlertRaised]


class Situation(Protocol):
    """What the book asks of the run it watches."""

    def pending(self) -> int:
        """Return how many calls have not been begun."""


class NoRun:
    """Stands in where there is no run to ask."""

    def pending(self) -> int:
        """Return none."""
        return 0


@dataclass(slots=True, kw_only=True)
class Shared:
    """The open incidents and what is remembered beside them.

    An outage of a service in `required` is critical; `in_force` returns the settings of a service
    as texts; `run` is asked how many calls an outage holds up; `in_lanes` are the calls that are
    being worked.
    """

    open: OpenIncidents
    failing: Failing
    affected: Affected
    moves: Moves
    redact: Callable[[str], str]
    required: frozenset[str]
    in_force: Callable[[str], dict[str, str]]
    version: str
    run: Situation
    in_lanes: set[str] = field(default_factory=set)

    def begin(self, slot: str, now: Now, **fields: Any) -> None:  # noqa: ANN401 — the fields of Incident.
        """Open an incident under the version and the settings in force."""
        in_force = self.in_force(fields.get("service", ""))
        self.open.open(slot, now, settings=in_force, version=self.version, **fields)

    def tell_move(self, slot: str, now: Now, text: str) -> None:
        """Add a line to the timeline of a slot's open incident, if there is one."""
        incident = self.open.get(slot)
        if incident is not None:
            self.moves.add(incident.id, now.utc_s, self.redact(text))
