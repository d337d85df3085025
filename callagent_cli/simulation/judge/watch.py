"""Shows a running world to its watchers, each only what it looks for."""

from collections.abc import Mapping, Sequence

from callagent_cli.events import Stamped
from callagent_cli.simulation.judge.evidence import Case, See, Sight, Watcher
from callagent_cli.simulation.recording.recording import Recording
from callagent_cli.simulation.twins.ledger import PlacedCall, ReceivedRequest


class Watch:
    """Hears the bus and the twins' ledger of one world, from its first run to its last.

    `offsets_s` says for each run at which second of the world its loop began; it may grow while
    the world runs. Instants in the ledger are UTC seconds, and the world began at `start_utc_s`.
    """

    def __init__(
        self,
        case: Case,
        watchers: Sequence[Watcher],
        *,
        start_utc_s: float,
        offsets_s: Mapping[str, float],
    ) -> None:
        self._instant = case.instant
        self.watchers = watchers
        self._start_utc_s = start_utc_s
        self._offsets_s = offsets_s
        self._run = ""
        self._offset_s = 0.0
        self._last = Sight(0.0, 0, None)
        self._eyes: dict[type, list[See]] = {}
        for watcher in watchers:
            for kind, see in watcher.hears().items():
                self._eyes.setdefault(kind, []).append(see)
        self._of_requests = self._eyes.get(ReceivedRequest, [])
        self._of_placed = self._eyes.get(PlacedCall, [])

    @property
    def last_s(self) -> float:
        """The second of the world of the last event."""
        return self._last.at_s

    def hear(self, stamped: Stamped) -> None:
        """Show an event."""
        if stamped.run is not self._run and stamped.run != self._run:
            self._begin(stamped.run)
        _, monotonic_s, _, _, _, event = stamped
        # What the class itself would do, without its call: it is done for each event.
        sight = self._last = tuple.__new__(
            Sight, (monotonic_s + self._offset_s, self._last.line + 1, stamped)
        )
        self._instant.take(sight)
        for see in self._eyes.get(type(event), ()):
            see(event, sight)

    def receive(self, request: ReceivedRequest) -> None:
        """Show a request that reached a twin."""
        _, line, stamped = self._last
        sight = tuple.__new__(Sight, (request.at - self._start_utc_s, line, stamped))
        for see in self._of_requests:
            see(request, sight)

    def place(self, call: PlacedCall) -> None:
        """Show a phone that rings."""
        _, line, stamped = self._last
        sight = Sight(call.at - self._start_utc_s, line, stamped)
        for see in self._of_placed:
            see(call, sight)

    def close(self) -> None:
        """End the last run."""
        if self._run:
            for watcher in self.watchers:
                watcher.end_world(self._last.at_s)
            self._run = ""

    def play(self, recording: Recording) -> None:
        """Show a recorded world from its beginning to its end."""
        for happening in recording.happenings():
            if isinstance(happening, Stamped):
                self.hear(happening)
            elif isinstance(happening, ReceivedRequest):
                self.receive(happening)
            else:
                self.place(happening)

    def _begin(self, run: str) -> None:
        if self._run:
            for watcher in self.watchers:
                watcher.end_run(self._last.at_s)
        self._run = run
        self._offset_s = self._offsets_s.get(run, 0.0)
