"""One request and its answer: what the transport's failures mean, and how a refusal is raised."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from callagent_cli.errors import (
    AuthenticationFailed,
    InvalidPayload,
    NetworkFailure,
    OutcomeUnknown,
    QuotaExceeded,
    RateLimited,
    ServiceError,
    ServiceTimeout,
    ServiceUnavailable,
)
from callagent_cli.masking import safe_text
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.services.answers import request_id
from callagent_cli.services.http import (
    Http,
    NoAnswer,
    NotSent,
    Request,
    Response,
    TransportError,
)
from callagent_cli.services.retry_after import retry_after_s

Raised = TypeVar("Raised", bound=ServiceError)


class Verdict(NamedTuple):
    """Which error an answer is, and its outcome where the error's own does not fit.

    `personal` marks what concerns the person's line only (see `ServiceError`).
    """

    kind: type[ServiceError]
    outcome: Outcome | None = None
    personal: bool = False


BUSY_HERE = Verdict(RateLimited, Outcome.BUSY_HERE)
"""Our own number of simultaneous requests is used up: a slot, not time, is what is missing."""


def verdict_of_status(status: int) -> Verdict:
    """Return what a status alone says, where the body says nothing and nothing may have happened.

    A redirect is an unavailable service: no API of ours redirects, but portals in its way do.
    """
    stated = {
        401: AuthenticationFailed,
        402: QuotaExceeded,
        403: AuthenticationFailed,
        408: ServiceUnavailable,
        409: ServiceUnavailable,
        429: RateLimited,
    }.get(status)
    if stated is not None:
        return Verdict(stated)
    return Verdict(InvalidPayload if 400 <= status < 500 else ServiceUnavailable)  # noqa: PLR2004 — the range that HTTP calls client errors.


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What an answer says that does not mean ok; every text in it is safe to log."""

    service: str
    status: int
    code: str
    message: str
    request_id: str
    retry_after_s: float | None

    def error(self, verdict: Verdict, *, least_wait_s: float | None = None) -> ServiceError:
        """Return the error to raise; `least_wait_s` is the wait where the provider states none."""
        wait_s = self.retry_after_s if self.retry_after_s is not None else least_wait_s
        said = self.message or self.code
        return verdict.kind(
            f"{self.service} answered {self.status}" + (f": {said}" if said else ""),
            outcome=verdict.outcome,
            status=self.status,
            code=self.code,
            request_id=self.request_id,
            retry_after_s=wait_s,
            personal=verdict.personal,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One service's way to the network; `secret` is its key, which no message may contain.

    `utc` gives the seconds since 1970, against which HTTP dates are read.
    """

    http: Http
    service: str
    utc: Callable[[], float]
    secret: str = field(repr=False)

    async def send(self, request: Request, *, may_have_effect: bool = False) -> Response:
        """Return the answer, whatever its status.

        Raises `NetworkFailure` when the request never left; when no whole answer came
        `ServiceTimeout` or `ServiceUnavailable`, and `OutcomeUnknown` where it may have an effect.
        """
        try:
            return await self.http.send(request)
        except NotSent as error:
            raise self._lost(NetworkFailure, error) from error
        except NoAnswer as error:
            raise self._lost(
                OutcomeUnknown if may_have_effect else ServiceTimeout, error
            ) from error
        except TransportError as error:
            raise self._lost(
                OutcomeUnknown if may_have_effect else ServiceUnavailable, error
            ) from error

    def _lost(self, kind: type[ServiceError], error: TransportError) -> ServiceError:
        return kind(f"{self.service}: {safe_text(error.message, secret=self.secret)}")

    def refusal(
        self, response: Response, *, code: object = "", message: object = "", stated_id: object = ""
    ) -> Refusal:
        """Return an answer as a refusal, its texts masked; `stated_id` is the body's request id."""
        return Refusal(
            service=self.service,
            status=response.status,
            code=safe_text(code, secret=self.secret),
            message=safe_text(message, secret=self.secret),
            request_id=request_id(response.headers, stated_id, secret=self.secret),
            retry_after_s=retry_after_s(response.headers, self.utc()),
        )

    def unreadable(
        self, response: Response, *, kind: type[Raised], code: str = "unreadable"
    ) -> Raised:
        """Return the error for an answer whose body is not what its status promises."""
        return kind(
            f"{self.service} answered {response.status}: {code.replace('_', ' ')}",
            status=response.status,
            code=code,
            request_id=request_id(response.headers, secret=self.secret),
        )


def is_ok(response: Response) -> bool:
    """Tell whether a status means that the request was carried out (2xx)."""
    return 200 <= response.status < 300  # noqa: PLR2004 — the range that HTTP calls successful.


def versioned(base_url: str, path: str) -> str:
    """Return a `/v1/…` path to append to a base address, which may end with `/v1` already."""
    return path.removeprefix("/v1") if base_url.rstrip("/").endswith("/v1") else path
