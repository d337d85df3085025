"""The dial ledger's rules: when a dial may go out, and what a look-up proves."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from callagent_cli.calls.model import OPEN_DIALS, Dial, DialStatus


class Found(Protocol):
    """A call the provider knows of; `attempt_id` is the dial id it echoes, if it echoes one."""

    @property
    def conversation(self) -> str:
        """The provider's id of the call."""

    @property
    def attempt_id(self) -> str | None:
        """The id of the dial that placed it."""


F = TypeVar("F", bound=Found)


@dataclass(frozen=True, slots=True)
class Graces:
    """How long after a dial's end its absence is proof, in seconds.

    `unknown_s` for a lost answer, `refused_s` for a 503 or 529: the assumption is that a provider
    lists a placed call within that time.
    """

    unknown_s: float
    refused_s: float


def open_dial(dials: Iterable[Dial]) -> Dial | None:
    """Return the dial that may have rung and is not settled; there is never more than one."""
    return next((dial for dial in dials if dial.status in OPEN_DIALS), None)


def placed_dials(dials: Iterable[Dial]) -> int:
    """Count the dials that placed a call; only these use up a person's dials."""
    return sum(dial.status is DialStatus.PLACED for dial in dials)


def proof_wait_s(dial: Dial, now_utc_s: float, graces: Graces) -> float:
    """Return the seconds until the absence of this dial's call is proof; 0 when it is already.

    A calendar that was set back only makes the wait longer, never shorter than the grace.
    """
    ended_utc_s = dial.intended_utc_s if dial.ended_utc_s is None else dial.ended_utc_s
    grace_s = graces.refused_s if dial.status is DialStatus.UNPROVEN else graces.unknown_s
    return max(0.0, ended_utc_s + grace_s - now_utc_s)


def match(dial: Dial, found: Iterable[F], known: frozenset[str]) -> F | None:
    """Return the call that this dial placed, if it is among those the provider found.

    `known` are the conversations of the person's other dials. A call that echoes no dial id is
    taken for this dial's: mistaking it for another one could ring a person twice.
    """
    candidates = [call for call in found if call.conversation not in known]
    exact = next((call for call in candidates if call.attempt_id == dial.id), None)
    return exact or next((call for call in candidates if not call.attempt_id), None)
