"""Which steps go on without their service, each told once when it begins and once when it ends."""

from callagent_cli.events import BreakerChanged, Bus, HealthChecked, Stamped, StepDegraded


class Degraded:
    """Remembers what is degraded, so that a thousand calls make one event.

    It ends with the step's next success, or without one when the service itself is back.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._instead: dict[tuple[str, str], str] = {}
        bus.listen(self._listen, BreakerChanged, HealthChecked)

    def begin(self, step: str, service: str, *, instead: str, reason: str) -> None:
        """Say that a step goes on with `instead`, unless that was said already."""
        if (service, step) not in self._instead:
            self._instead[service, step] = instead
            self._tell(service, step, active=True, instead=instead, reason=reason)

    def end(self, step: str, service: str) -> None:
        """Say that a step has its service again, if it had lost it."""
        instead = self._instead.pop((service, step), None)
        if instead is not None:
            self._tell(service, step, active=False, instead=instead)

    def _listen(self, stamped: Stamped) -> None:
        event = stamped.event
        if isinstance(event, BreakerChanged):
            is_back = event.new == "closed"
        elif isinstance(event, HealthChecked):
            is_back = event.health == "healthy" and event.breaker_state == "closed"
        else:
            return
        if is_back and self._instead:
            for service, step in list(self._instead):
                if service == event.service:
                    self.end(step, service)

    def _tell(
        self, service: str, step: str, *, active: bool, instead: str, reason: str = ""
    ) -> None:
        self._bus.emit(
            StepDegraded(
                service=service, step=step, active=active, instead=instead, error_message=reason
            )
        )
