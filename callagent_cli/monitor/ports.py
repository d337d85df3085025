"""What the screen needs from outside; `cli/` hands it in, and tests hand in doubles."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal, Protocol

from callagent_cli.monitor.paint.glyphs import to_ascii
from callagent_cli.monitor.state import ViewState

Leave = Literal["drained", "stopped", "detached", "closed"]
"""How a person left the screen: after a drain, at once, with the run going on, or after its end."""

CommandName = Literal[
    "pause",
    "resume",
    "drain",
    "stop",
    "detach",
    "trip",
    "reset",
    "check",
    "acknowledge",
    "mute",
    "lanes",
    "requeue",
]


class Commands(Protocol):
    """What a person may ask of the worker; each method returns what to tell that person.

    They return at once, and raise `CallAgentError` when the command cannot be passed on.
    """

    def refusal(self, command: CommandName) -> str:
        """Return why a command is not possible here and now; empty when it is."""

    def pause(self) -> str:
        """Stop new dials; calls in flight finish."""

    def resume(self) -> str:
        """Allow new dials again."""

    def drain(self) -> str:
        """Claim nothing more and end when the calls in flight have finished."""

    def stop(self) -> str:
        """End now; calls in flight are resumed by the next run."""

    def trip(self, service: str) -> str:
        """Isolate a service's breaker until a person resets it."""

    def reset(self, service: str) -> str:
        """Close a service's breaker."""

    def check(self, service: str) -> str:
        """Check a service's health now."""

    def acknowledge(self, alert: str) -> str:
        """Note that somebody has seen an alert; `all` means every one."""

    def mute(self, service: str) -> str:
        """Silence a service's alerts for ten minutes."""

    def lanes(self, change: int) -> str:
        """Work that many more (or fewer) calls at the same time."""

    def requeue(self, service: str) -> str:
        """Take back the calls that failed because of a service."""


class Feed(Protocol):
    """Where events come from when nobody folds them into the state directly."""

    def pull(self, state: ViewState) -> None:
        """Bring the state up to date without waiting; called before each paint.

        Raises `CallAgentError` when the source cannot be read: the screen then says LOST.
        """


class Pace(Protocol):
    """The speed of a rehearsal that is being watched."""

    @property
    def held(self) -> bool:
        """Whether simulated time stands still."""

    @property
    def speed(self) -> float:
        """Simulated seconds a second."""

    def hold(self) -> None:
        """Let simulated time stand still."""

    def go(self) -> None:
        """Let simulated time go on."""

    def step(self) -> None:
        """Let one simulated second pass, then hold."""

    def change(self, factor: float) -> None:
        """Multiply the speed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the screen looks and behaves.

    `zone` none means local times. `close_when_done` leaves the screen when the run has ended.
    `report_crash` writes a redacted report of a failure of the screen and returns its path.
    `paint_every_s` none paints only when `paint()` is called.
    """

    feed: Feed | None = None
    pace: Pace | None = None
    ascii_only: bool = False
    show_numbers: bool = False
    light: bool = False
    zone: tzinfo | None = None
    close_when_done: bool = False
    report_crash: Callable[[BaseException], str] | None = None
    paint_every_s: float | None = 0.25
    next_command: str = "callagent run contacts.csv"

    def shown(self, text: str) -> str:
        """Return a text in the characters that this screen can show."""
        return to_ascii(text) if self.ascii_only else text
