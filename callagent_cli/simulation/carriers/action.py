"""What a fault makes of one request: the value that drives the wire and the in-process carrier."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from callagent_cli.simulation.twins.twin import Facts, TwinRequest

Kind = Literal[
    "pass",
    "answer",
    "hang",
    "refuse",
    "dns",
    "blackhole",
    "reset",
    "truncate",
    "garbage",
    "empty",
    "drip",
    "stale_keepalive",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WireAction:
    """What happens to a request.

    `delay_s` comes on top of the twin's own latency and before everything else. `applied` says
    whether the provider does the work although the client does not get its answer; `pass` always
    does it. The kinds:

    - `pass`: the twin's answer, whole.
    - `answer`: `status`, `headers` and `body` instead.
    - `hang`: nothing, for ever.
    - `refuse`, `dns`, `blackhole`: the request never leaves. In process that is `NotSent` (a black
      hole after the request's whole timeout). A request that a server has read was sent, so there
      these are a reset; to refuse for real, close the port (`WireServer.refuse`) or send the
      request to a dead end (`DeadEnds`), as a wire world does.
    - `reset`: the connection is reset, `mid_body` or before the first byte.
    - `truncate`: the connection is closed in the middle of a body framed by `framing`.
    - `garbage`: something that is not HTTP. `empty`: closed without a byte.
    - `drip`: the twin's answer in pieces of `drip_bytes`, one every `drip_every_s`.
    - `stale_keepalive`: a connection used before is closed without a byte; a fresh one passes.
    """

    kind: Kind = "pass"
    delay_s: float = 0.0
    applied: bool = False
    status: int = 503
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    mid_body: bool = False
    framing: Literal["length", "chunked"] = "length"
    drip_bytes: int = 8
    drip_every_s: float = 1.0

    @property
    def never_leaves(self) -> bool:
        """Whether the request does not even reach the provider."""
        return self.kind in _NEVER_LEAVES

    @property
    def is_handled(self) -> bool:
        """Whether the twin carries the request out."""
        return self.applied or self.kind in _HANDLED


_NEVER_LEAVES: Final = frozenset({"refuse", "dns", "blackhole"})
_HANDLED: Final = frozenset({"pass", "drip"})

PASS: Final = WireAction()


class FaultHook(Protocol):
    """Decides what happens to a request; the fault engine is one."""

    def decide(self, target: str, request: TwinRequest, at: float, *, facts: Facts) -> WireAction:
        """Return what happens to a request for `target` (`elevenlabs.dial`) at an instant (UTC)."""
