"""How people behave when they are called: who answers, and how long everything takes."""

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final

import msgspec

Range = tuple[float, float]
"""The least and the most seconds."""


class Ending(StrEnum):
    """How a call goes."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    VOICEMAIL = "voicemail"
    DECLINED = "declined"
    FAILED = "failed"


TALKED_TO: Final = frozenset({Ending.ANSWERED, Ending.VOICEMAIL})
"""Somebody, or something, picked up."""

_USUAL_MIX: Final[dict[Ending, float]] = {
    Ending.ANSWERED: 0.7,
    Ending.NO_ANSWER: 0.12,
    Ending.BUSY: 0.08,
    Ending.VOICEMAIL: 0.07,
    Ending.DECLINED: 0.03,
    Ending.FAILED: 0.0,
}


class Play(msgspec.Struct, frozen=True, kw_only=True):
    """How one call goes: rings, is talked on, is processed by the provider; all in seconds.

    `opts_out` is what the person says about further calls: nothing that anybody asked for when
    none of these people ever wants no more of them.
    """

    ending: Ending
    ring_s: float
    talk_s: float
    processing_s: float
    opts_out: bool | None = None

    @property
    def total_s(self) -> float:
        """Seconds from the dial until the conversation's final state."""
        return self.ring_s + self.talk_s + self.processing_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Personality:
    """The people behind the numbers: relative weights of the endings, and durations.

    A call that nobody picks up rings for `no_answer_s`, a busy or declined one for `refused_s`.
    `opts_out` is the share of people who say that they want no more calls, once somebody talks to
    them.
    """

    weights: dict[Ending, float] = field(default_factory=lambda: dict(_USUAL_MIX))
    ring_s: Range = (2.0, 25.0)
    talk_s: Range = (15.0, 180.0)
    voicemail_s: Range = (5.0, 30.0)
    processing_s: Range = (1.0, 6.0)
    no_answer_s: Range = (30.0, 60.0)
    refused_s: Range = (1.0, 8.0)
    opts_out: float = 0.0

    def play(self, seed: int, number: str, dial: int) -> tuple[Play, Random]:
        """Return how the `dial`-th call to a number goes, and the lots to draw its ids from.

        It depends on the three arguments alone, so the order in which calls arrive is no matter.
        """
        random = Random(f"{seed}:{number}:{dial}")
        endings = list(self.weights)
        ending = random.choices(endings, [self.weights[each] for each in endings])[0]
        if ending is Ending.NO_ANSWER:
            ring = random.uniform(*self.no_answer_s)
        elif ending in TALKED_TO:
            ring = random.uniform(*self.ring_s)
        else:
            ring = random.uniform(*self.refused_s)
        talked = self.talk_s if ending is Ending.ANSWERED else self.voicemail_s
        talk = random.uniform(*talked) if ending in TALKED_TO else 0.0
        processing = random.uniform(*self.processing_s) if ending in TALKED_TO else 0.0
        opts_out = self._opts_out(seed, number) if ending is Ending.ANSWERED else None
        play = Play(
            ending=ending, ring_s=ring, talk_s=talk, processing_s=processing, opts_out=opts_out
        )
        return play, random

    def _opts_out(self, seed: int, number: str) -> bool | None:
        """Return what a person thinks of calls, at every dial the same; drawn apart from the rest.

        So a share of people who opt out changes nothing else of how a seed's calls go.
        """
        if not self.opts_out:
            return None
        return Random(f"{seed}:{number}:opts out").random() < self.opts_out


def sandbox_personality(pace: float, *, opts_out: float = 0.0) -> Personality:
    """Return people in a hurry: every call is over within 0.2–3 s, times `pace`."""

    def paced(low_s: float, high_s: float) -> Range:
        return low_s * pace, high_s * pace

    return Personality(
        ring_s=paced(0.1, 0.8),
        talk_s=paced(0.1, 2.0),
        voicemail_s=paced(0.1, 1.0),
        processing_s=paced(0.02, 0.2),
        no_answer_s=paced(1.0, 3.0),
        refused_s=paced(0.2, 0.8),
        opts_out=opts_out,
    )
