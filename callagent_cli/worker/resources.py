"""Everything the worker's parts share, handed to each of them at birth."""

from collections.abc import Callable
from dataclasses import dataclass, field

from callagent_cli.clock import Clock
from callagent_cli.events import Bus
from callagent_cli.resilience.guard import Guard
from callagent_cli.resilience.health import HealthChecker
from callagent_cli.settings import Settings, Window
from callagent_cli.store.port import Store
from callagent_cli.worker.ports import Composer, CustomerRecords, Suppressions, Telephony


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The services and their Guards, by the names of DESIGN.md.

    `composers` are the models in the order in which they are tried, each with its service's name;
    `records` is None when no CRM is configured.
    """

    telephony: Telephony
    composers: tuple[tuple[str, Composer], ...]
    records: CustomerRecords | None
    guards: dict[str, Guard]
    checkers: dict[str, HealthChecker] = field(default_factory=dict)

    @property
    def voice(self) -> Guard:
        """The Guard of the voice platform."""
        return self.guards["elevenlabs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """Settings, time, storage, services and the bus of one worker on one campaign.

    `window` is the calling window in force, None when it is always open; `redial_scale` shortens
    the redial delays, as only the sandbox does. `suppressions` are the people who must not be
    called; a simulation has none. `at_beat` writes what may wait for the next beat of the worker's
    housekeeping, or for the end of the run.
    """

    settings: Settings
    clock: Clock
    bus: Bus
    store: Store
    services: Services
    campaign: str
    window: Window | None = None
    redial_scale: float = 1.0
    suppressions: Suppressions | None = None
    at_beat: list[Callable[[], None]] = field(default_factory=list)

    def beat(self) -> None:
        """Write what has waited for this beat."""
        for write in self.at_beat:
            write()
