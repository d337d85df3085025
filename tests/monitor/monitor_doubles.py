"""Stand-ins for the worker and for a rehearsal, which remember what was asked of them."""

from callagent_cli.errors import StoreError
from callagent_cli.monitor.ports import CommandName


class RecordingCommands:
    """Takes every wish and remembers it; `refusals` says what is not possible."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.refusals: dict[CommandName, str] = {
            "detach": "the worker runs in this process and would end with it"
        }
        self.broken = False

    def _take(self, *wish: str) -> str:
        if self.broken:
            raise StoreError("cannot write the database", hint="check the disk")
        self.asked.append(wish)
        return "asked: " + " ".join(wish)

    def refusal(self, command: CommandName) -> str:
        """Return the planted refusal."""
        return self.refusals.get(command, "")

    def pause(self) -> str:
        """Remember."""
        return self._take("pause")

    def resume(self) -> str:
        """Remember."""
        return self._take("resume")

    def drain(self) -> str:
        """Remember."""
        return self._take("drain")

    def stop(self) -> str:
        """Remember."""
        return self._take("stop")

    def trip(self, service: str) -> str:
        """Remember."""
        return self._take("trip", service)

    def reset(self, service: str) -> str:
        """Remember."""
        return self._take("reset", service)

    def check(self, service: str) -> str:
        """Remember."""
        return self._take("check", service)

    def acknowledge(self, alert: str) -> str:
        """Remember."""
        return self._take("acknowledge", alert)

    def mute(self, service: str) -> str:
        """Remember."""
        return self._take("mute", service)

    def lanes(self, change: int) -> str:
        """Remember."""
        return self._take("lanes", str(change))

    def requeue(self, service: str) -> str:
        """Remember."""
        return self._take("requeue", service)


class RecordingPace:
    """A rehearsal's pace that remembers what was asked."""

    def __init__(self) -> None:
        self.held = False
        self.speed = 10.0
        self.steps = 0

    def hold(self) -> None:
        """Stand still."""
        self.held = True

    def go(self) -> None:
        """Go on."""
        self.held = False

    def step(self) -> None:
        """Count a step."""
        self.steps += 1

    def change(self, factor: float) -> None:
        """Change the speed."""
        self.speed *= factor
