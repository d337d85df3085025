"""A worksheet through gspread: opened, made with its header when missing, appended to, read."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from callagent_cli.errors import (
    AuthenticationFailed,
    Misconfigured,
    RateLimited,
    ServiceError,
    ServiceUnavailable,
    SettingsError,
)
from callagent_cli.reporting.google_sheet import SheetError, SheetWriter
from callagent_cli.reporting.sheet import HEADER
from callagent_cli.services.masking import safe_text
from callagent_cli.settings import Sheet

if TYPE_CHECKING:
    import gspread

TIMEOUTS_S: Final = (5.0, 20.0)
"""Connecting and reading; gspread's own default is to wait forever."""

COLUMNS: Final = [*HEADER, "key"]
_REFUSED: Final = frozenset({400, 401, 403, 404, 429})
"""Statuses that prove that nothing was written."""


class GspreadWriter:
    """Writes rows to one worksheet; each row ends with its key.

    `http_client` is for tests. Raises `SheetError` when the worksheet cannot be opened or made.
    """

    def __init__(
        self,
        service_account: dict[str, Any],
        *,
        spreadsheet_id: str,
        worksheet: str,
        http_client: "type[gspread.HTTPClient] | None" = None,
    ) -> None:
        import gspread  # noqa: PLC0415 — half a second that only a real sheet needs to pay.
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 — as above.
        from requests import RequestException  # noqa: PLC0415 — as above.

        self._gspread = gspread
        self._before_sending = (GoogleAuthError,)
        # Besides its own errors gspread lets through builtin ones: `PermissionError` for 403,
        # `TypeError` and `KeyError` for answers it cannot read.
        self._kinds = (
            gspread.exceptions.GSpreadException,
            GoogleAuthError,
            RequestException,
            OSError,
            TypeError,
            KeyError,
            ValueError,
            AttributeError,
        )
        self._secret = str(service_account.get("private_key", ""))
        self._client_kind = http_client or gspread.HTTPClient
        self._sheet = self._guarded(lambda: self._open(service_account, spreadsheet_id, worksheet))

    def append(self, rows: Sequence[Sequence[str]]) -> None:
        """Append rows, all or none, as plain text; raises `SheetError`."""
        utils = self._gspread.utils
        self._guarded(
            lambda: self._sheet.append_rows(
                [list(row) for row in rows],
                value_input_option=utils.ValueInputOption.raw,
                insert_data_option=utils.InsertDataOption.insert_rows,
                table_range="A1",
            )
        )

    def keys(self) -> set[str]:
        """Return the keys of all rows in the sheet; raises `SheetError`."""
        column = self._guarded(lambda: self._sheet.col_values(len(COLUMNS)))
        return {str(key) for key in column}

    def _open(
        self, service_account: dict[str, Any], spreadsheet_id: str, title: str
    ) -> "gspread.Worksheet":
        client = self._gspread.service_account_from_dict(
            service_account, http_client=self._client_kind
        )
        client.set_timeout(TIMEOUTS_S)
        # google-auth 2.62 would start a request of its own, without a time limit, to a third host.
        credentials: Any = client.http_client.auth
        credentials._is_regional_access_boundary_lookup_required = _never  # noqa: SLF001 — no public switch exists.
        spreadsheet = client.open_by_key(spreadsheet_id)
        try:
            sheet = spreadsheet.worksheet(title)
        except self._gspread.WorksheetNotFound:
            sheet = spreadsheet.add_worksheet(title, rows=1, cols=len(COLUMNS))
        if not sheet.row_values(1):
            # Writing to a fixed place can be repeated without harm, unlike an append.
            sheet.update([COLUMNS], "A1")
        return sheet

    def _guarded(self, act: Callable[[], Any]) -> Any:  # noqa: ANN401 — whatever gspread returns.
        try:
            return act()
        except self._kinds as error:
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> SheetError:
        status = _status(error)
        refused = status in _REFUSED or isinstance(error, self._before_sending)
        said = safe_text(str(error) or type(error).__name__, secret=self._secret)
        return SheetError(
            f"{self._fix(error, status)} ({said})",
            ambiguous=not refused,
            kind=self._kind(error, status),
            status=status,
            retry_after_s=_asked_s(error),
        )

    def _kind(self, error: Exception, status: int | None) -> type[ServiceError]:
        if isinstance(error, self._before_sending) and not self._is_later(error):
            return AuthenticationFailed
        return _ERRORS.get(status or 0, ServiceUnavailable)

    @staticmethod
    def _is_later(error: Exception) -> bool:
        """Tell whether a token was not handed out for a reason that passes."""
        return bool(getattr(error, "retryable", False)) or (
            "TransportError" in type(error).__name__
        )

    def _fix(self, error: Exception, status: int | None) -> str:
        if isinstance(error, self._before_sending):
            if self._is_later(error):
                return "Google did not hand out a token; it is tried again"
            return "Google refuses the service account; check its key and that it is enabled"
        return _FIXES.get(status or 0, "the sheet could not be written; it is tried again")


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


def _asked_s(error: Exception) -> float | None:
    """Return the wait that Google asked for, in seconds."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    asked = headers.get("retry-after", "") if headers is not None else ""
    return float(asked) if asked.isdecimal() else None


def _never() -> bool:
    return False


def _status(error: Exception) -> int | None:
    """Return the HTTP status behind an error, which gspread hides in three ways."""
    if isinstance(error, PermissionError):
        return 403
    response = getattr(error, "response", None)
    if response is None and error.args:
        response = error.args[0]  # `SpreadsheetNotFound` carries the response as its only argument.
    status = getattr(response, "status_code", None)
    return status if isinstance(status, int) else None


def sheet_writer(settings: Sheet, environ: Mapping[str, str]) -> Callable[[], SheetWriter]:
    """Return what opens the sheet that the settings name; to be called on the sheet's thread.

    Raises `SettingsError` when the service account is not given or is no JSON.
    """
    secret = settings.service_account.read(environ)
    try:
        account = msgspec.json.decode(secret, type=dict[str, object])
    except msgspec.DecodeError as error:
        what = "cannot be read" if secret else "is not given"
        hint = f"set {settings.service_account.env or 'its `file`'} to the service account's JSON"
        raise SettingsError(f"`sheet.service_account` {what}", hint=hint) from error
    return partial(
        GspreadWriter,
        account,
        spreadsheet_id=settings.spreadsheet_id,
        worksheet=settings.worksheet,
    )
