"""Which steps go on without their service, each told once when it begins and once when it ends."""

from callagent_cli.events import Bus, StepDegraded


class Degraded:
    """Remembers what is degraded, so that a thousand calls make one event."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._active: dict[str, str] = {}

    def begin(self, step: str, service: str, *, instead: str, reason: str) -> None:
        """Say that a step goes on with `instead`, unless that was said already."""
        if step not in self._active:
            self._active[step] = instead
            self._tell(step, service, active=True, reason=reason)

    def end(self, step: str, service: str) -> None:
        """Say that a step has its service again, if it had lost it."""
        if step in self._active:
            self._tell(step, service, active=False, reason="")
            del self._active[step]

    def _tell(self, step: str, service: str, *, active: bool, reason: str) -> None:
        self._bus.emit(
            StepDegraded(
                service=service,
                step=step,
                active=active,
                instead=self._active[step],
                error_message=reason,
            )
        )
