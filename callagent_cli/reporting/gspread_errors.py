"""What the failures of gspread mean: whether rows may be in the sheet, and the way out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Final

from callagent_cli.errors import (
    AuthenticationFailed,
    Misconfigured,
    RateLimited,
    ServiceError,
    ServiceUnavailable,
)
from callagent_cli.masking import safe_text
from callagent_cli.reporting.google_sheet import SheetError
from callagent_cli.services.retry_after import retry_after_s

_REFUSED: Final = frozenset({400, 401, 403, 404, 429})
"""Statuses that prove that nothing was written."""

_NO_RANGE: Final = "unable to parse range"
_FULL: Final = "above the limit"
_SAID_MAX: Final = 200

_FIXES: Final = {
    400: "Google refuses the rows",
    401: "Google refuses the service account; check its key",
    403: "the sheet is not shared with the service account; share it as an editor",
    404: "no such spreadsheet; correct `sheet.spreadsheet_id`",
    429: "Google asks for fewer requests; it is tried again later",
}
_ERRORS: Final[dict[int, type[ServiceError]]] = {
    400: Misconfigured,
    401: AuthenticationFailed,
    403: Misconfigured,
    404: Misconfigured,
    429: RateLimited,
}
_FULL_FIX: Final = (
    "the spreadsheet is full (10 million cells); delete old rows, or name another one in"
    " `sheet.spreadsheet_id`"
)


class WorksheetGone(SheetError):
    """The worksheet was deleted or renamed since it was opened; nothing was written to it."""


class Translator:
    """Turns what gspread raises into `SheetError`s; `secret` is in none of them."""

    def __init__(self, gspread: ModuleType, secret: str) -> None:
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 — a fifth of a second that only a real sheet needs to pay.
        from requests import RequestException  # noqa: PLC0415 — as above.

        self._secret = secret
        self._before_sending = GoogleAuthError
        # Besides its own errors gspread lets through builtin ones: `PermissionError` for 403,
        # `TypeError` and `KeyError` for answers it cannot read.
        self._kinds: tuple[type[Exception], ...] = (
            gspread.exceptions.GSpreadException,
            GoogleAuthError,
            RequestException,
            OSError,
            TypeError,
            KeyError,
            ValueError,
            AttributeError,
        )

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Raise what goes wrong inside as `SheetError`."""
        try:
            yield
        except self._kinds as error:
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> SheetError:
        status = _status(error)
        said = safe_text(str(error) or type(error).__name__, secret=self._secret)
        words = said.casefold()
        refused = status in _REFUSED or isinstance(error, self._before_sending)
        kind: Callable[..., SheetError] = SheetError
        failure, fix = _ERRORS.get(status or 0, ServiceUnavailable), self._fix(error, status)
        if isinstance(error, self._before_sending) and not self._passes(error):
            failure = AuthenticationFailed
        if status == 400 and _NO_RANGE in words:  # noqa: PLR2004 — Bad Request.
            kind, failure, fix = WorksheetGone, ServiceUnavailable, "the worksheet is gone"
        elif status == 400 and _FULL in words:  # noqa: PLR2004 — as above.
            fix = _FULL_FIX
        return kind(
            f"{fix} ({said[:_SAID_MAX]})",
            ambiguous=not refused,
            kind=failure,
            status=status,
            retry_after_s=_asked_s(error),
        )

    def _passes(self, error: Exception) -> bool:
        """Tell whether a token was not handed out for a reason that passes."""
        return bool(getattr(error, "retryable", False)) or (
            "TransportError" in type(error).__name__
        )

    def _fix(self, error: Exception, status: int | None) -> str:
        if isinstance(error, self._before_sending):
            if self._passes(error):
                return "Google did not hand out a token; it is tried again"
            return "Google refuses the service account; check its key and that it is enabled"
        return _FIXES.get(status or 0, "the sheet could not be written; it is tried again")


def _asked_s(error: Exception) -> float | None:
    """Return the wait that Google asked for, in seconds.

    A date is read against the answer's own; without one it is no wait, for no clock is at hand.
    """
    headers = getattr(getattr(error, "response", None), "headers", None)
    if headers is None:
        return None
    lower = {str(name).lower(): str(value) for name, value in headers.items()}
    return retry_after_s(lower, float("inf"))


def _status(error: Exception) -> int | None:
    """Return the HTTP status behind an error, which gspread hides in three ways."""
    if isinstance(error, PermissionError):
        return 403
    response = getattr(error, "response", None)
    if response is None and error.args:
        response = error.args[0]  # `SpreadsheetNotFound` carries the response as its only argument.
    status = getattr(response, "status_code", None)
    return status if isinstance(status, int) else None
