"""A bounded queue between whoever emits events and a screen in another thread."""

from collections import deque

from callagent_cli.events import Stamped
from callagent_cli.monitor.state import ViewState

QUEUE_LIMIT = 100_000
SINK = "screen"


class QueueFeed:
    """Takes events from any thread, and folds them when the screen is about to paint.

    In the worker's own loop it is not needed: there `ViewState.fold` is the listener. A screen
    that does not keep up loses the newest events, which the verdict line counts.
    """

    def __init__(self, limit: int = QUEUE_LIMIT) -> None:
        self._events: deque[Stamped] = deque()
        self._limit = limit
        self.dropped = 0

    def put(self, stamped: Stamped) -> None:
        """Take an event without waiting; a `Listener`."""
        if len(self._events) >= self._limit:
            self.dropped += 1
        else:
            self._events.append(stamped)

    def pull(self, state: ViewState) -> None:
        """Fold what has come in so far."""
        for _ in range(len(self._events)):
            state.fold(self._events.popleft())
        if self.dropped:
            state.dropped[SINK] = self.dropped
