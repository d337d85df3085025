"""What the worker asks of the services; the adapters in `services/` satisfy it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from callagent_cli.services.conversations import Candidate, Conversation
from callagent_cli.services.elevenlabs import Placed
from callagent_cli.services.hubspot import Person
from callagent_cli.store.suppressions import Suppression


class Telephony(Protocol):
    """The voice platform."""

    async def dial(
        self,
        *,
        call_id: str,
        attempt_id: str,
        number: str,
        variables: Mapping[str, Any],
        first_message: str,
    ) -> Placed:
        """Place a call; raises `ServiceError`."""

    async def look_up(
        self, *, call_id: str, since_utc_s: float, may_go_on: Callable[[], None]
    ) -> Sequence[Candidate]:
        """Return the calls placed for a call id; raises `ServiceError` if it cannot be known."""

    async def conversation(self, conversation_id: str) -> Conversation:
        """Return how a placed call stands."""

    async def health(self) -> None:
        """Return when the platform is well; raises `ServiceError`."""


class Composer(Protocol):
    """A language model."""

    async def compose(self, *, prompt: str) -> str:
        """Return a text; raises `ServiceError`."""

    async def health(self) -> None:
        """Return when the model is well; raises `ServiceError`."""


class CustomerRecords(Protocol):
    """The CRM."""

    async def look_up(self, *, crm_id: str, number: str) -> Person | None:
        """Return the person, if the CRM knows one."""

    async def record(
        self,
        *,
        call_id: str,
        marker: str,
        crm_id: str,
        title: str,
        body: str,
        status: str,
        duration_s: float,
        to_number: str,
        at_utc_s: float,
    ) -> str:
        """Write a call into the CRM and return its id there."""

    async def find_record(self, marker: str) -> str | None:
        """Return the id of a call already recorded with this marker."""

    async def health(self) -> None:
        """Return when the CRM is well; raises `ServiceError`."""


class Suppressions(Protocol):
    """The people who must never be called; raises `StoreError` when that cannot be known."""

    def reason(self, *numbers: str) -> str:
        """Return why one of these numbers must not be called, empty when they may be."""

    def add(self, suppressions: Iterable[Suppression]) -> int:
        """Put people on the list; they are on disk when it returns."""
