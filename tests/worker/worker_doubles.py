"""Services that do what a test tells them, in place of the adapters."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from callagent_cli.errors import InvalidPayload, ServiceError, ServiceUnavailable
from callagent_cli.services.conversations import Candidate, Conversation
from callagent_cli.services.elevenlabs import Placed
from callagent_cli.services.hubspot import Person
from callagent_cli.simulation.virtual.loop import running_loop


def down(message: str = "503 from the gateway") -> ServiceUnavailable:
    """Return what a service that is down raises."""
    return ServiceUnavailable(message, status=503)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one dial does: whether a phone rings, and what is raised instead of an answer."""

    rings: bool = True
    error: ServiceError | None = None
    after_s: float = 0.2


@dataclass(slots=True)
class Post:
    """A dial request that went out."""

    at_s: float
    call: str
    attempt: str
    number: str


@dataclass(slots=True)
class Rung:
    """A phone that rang; `listed_at_s` is when look-ups begin to find it."""

    call: str
    attempt: str
    conversation: str
    listed_at_s: float
    ends_at_s: float


def ended(**changes: object) -> Conversation:
    """Return a conversation in which somebody talked, with changes."""
    facts: dict[str, Any] = {
        "status": "done",
        "terminal": True,
        "duration_s": 54.0,
        "started_utc_s": 1.0,
        "accepted_utc_s": 2.0,
        "termination_reason": "",
        "error_code": "",
        "error_reason": "",
        "error_type": "",
        "call_result": "",
        "cost": 1.0,
        "transcript_turns_agent": 2,
        "transcript_turns_user": 2,
        "call_successful": "success",
        "summary": "",
        "data_collection": {},
    }
    return Conversation(**{**facts, **changes})


def no_answer() -> Conversation:
    """Return a conversation that nobody took part in."""
    return ended(
        status="failed",
        duration_s=0.0,
        accepted_utc_s=None,
        call_result="no_answer",
        transcript_turns_agent=0,
        transcript_turns_user=0,
    )


class Phone:
    """The voice platform of a test: `answers` are given to the dials in order, then all is well.

    `down` is raised by everything but dials, `ill` by health checks, `blind` by look-ups only;
    `endings` are how the conversations end, in order.
    """

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.posts: list[Post] = []
        self.rung: list[Rung] = []
        self.look_ups: list[float] = []
        self.follows: list[float] = []
        self.endings: list[Conversation] = []
        self.down: ServiceError | None = None
        self.ill: ServiceError | None = None
        self.blind: ServiceError | None = None
        self.deaf: ServiceError | None = None
        self.on_post: Callable[[], None] = lambda: None
        self.lag_s = 0.0
        self.talk_s = 20.0
        self.look_up_s = 0.1
        self.life_s = 0.0

    def _now_s(self) -> float:
        """Return the seconds since the first worker began."""
        return self.life_s + running_loop().time()

    async def dial(
        self,
        *,
        call_id: str,
        attempt_id: str,
        number: str,
        variables: Mapping[str, Any],  # noqa: ARG002 — the port's.
        first_message: str,  # noqa: ARG002 — the port's.
    ) -> Placed:
        """Ring the phone, or do what the next answer says."""
        now_s = self._now_s()
        self.on_post()
        self.posts.append(Post(now_s, call_id, attempt_id, number))
        answer = self.answers.pop(0) if self.answers else Answer()
        conversation = f"conv_{len(self.posts)}"
        if answer.rings:
            lag_s, talk_s = now_s + self.lag_s, now_s + self.talk_s
            self.rung.append(Rung(call_id, attempt_id, conversation, lag_s, talk_s))
        await asyncio.sleep(answer.after_s)
        if answer.error is not None:
            raise answer.error
        return Placed(conversation=conversation, provider_call="CA1", accepted=True, reason="")

    async def look_up(
        self, *, call_id: str, since_utc_s: float, may_go_on: Callable[[], None]
    ) -> list[Candidate]:
        """Return the calls that are listed by now."""
        assert since_utc_s == 0
        may_go_on()
        now_s = self._now_s()
        self.look_ups.append(now_s)
        await asyncio.sleep(self.look_up_s)
        if error := self.blind or self.down:
            raise error
        return [
            Candidate(conversation=rung.conversation, attempt_id=rung.attempt, status="done")
            for rung in self.rung
            if rung.call == call_id and rung.listed_at_s <= now_s
        ]

    async def conversation(self, conversation_id: str) -> Conversation:
        """Return how a conversation stands."""
        now_s = self._now_s()
        self.follows.append(now_s)
        await asyncio.sleep(0.1)
        if error := self.deaf or self.down:
            raise error
        rung = next((each for each in self.rung if each.conversation == conversation_id), None)
        if rung is None:
            raise InvalidPayload("not found", status=404)
        if now_s < rung.ends_at_s:
            return ended(status="in-progress", terminal=False)
        return self.endings.pop(0) if self.endings else ended()

    async def health(self) -> None:
        """Say how it is."""
        await asyncio.sleep(0.1)
        if error := self.ill or self.down:
            raise error


class Model:
    """A language model; `down` is raised by everything it is asked, `ill` by its health check."""

    def __init__(self) -> None:
        self.prompts: list[str] = []
        self.down: ServiceError | None = None
        self.ill: ServiceError | None = None

    async def compose(self, *, prompt: str) -> str:
        """Write a text."""
        self.prompts.append(prompt)
        await asyncio.sleep(0.5)
        if self.down is not None:
            raise self.down
        return "Good morning"

    async def health(self) -> None:
        """Say how it is."""
        await asyncio.sleep(0.1)
        if error := self.ill or self.down:
            raise error


class Records:
    """A CRM; `records` are the markers of the calls written, as often as they were."""

    def __init__(self) -> None:
        self.records: list[str] = []
        self.down: ServiceError | None = None
        self.losing: ServiceError | None = None

    async def look_up(self, *, crm_id: str, number: str) -> Person | None:
        """Return nobody."""
        assert number or crm_id
        await asyncio.sleep(0.1)
        if self.down is not None:
            raise self.down
        return None

    async def record(self, *, marker: str, **_: object) -> str:
        """Write a call; `losing` is raised once after the work was done."""
        await asyncio.sleep(0.1)
        if self.down is not None:
            raise self.down
        self.records.append(marker)
        if self.losing is not None:
            error, self.losing = self.losing, None
            raise error
        return f"record_{len(self.records)}"

    async def find_record(self, marker: str) -> str | None:
        """Find a call that was written."""
        await asyncio.sleep(0.1)
        return "record_found" if marker in self.records else None

    async def health(self) -> None:
        """Say how it is."""
        await asyncio.sleep(0.1)
        if self.down is not None:
            raise self.down
