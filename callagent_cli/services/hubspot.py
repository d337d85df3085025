"""The CRM HubSpot: finding a person, and recording a call at them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from callagent_cli.clock import utc_text
from callagent_cli.errors import ServiceUnavailable
from callagent_cli.services.answers import decode, mapping, text
from callagent_cli.services.exchange import Exchange, is_ok
from callagent_cli.services.http import Http, Request, Response
from callagent_cli.services.hubspot_errors import error_of, is_missing
from callagent_cli.settings import Crm

_Shape = TypeVar("_Shape")

PROPERTIES: Final = ("firstname", "lastname", "company", "jobtitle", "phone", "mobilephone")
"""What is asked of a contact in the CRM."""

_CALL_TO_CONTACT: Final = {
    "associationCategory": "HUBSPOT_DEFINED",
    "associationTypeId": 194,
}
_STATUSES: Final = {
    "answered": "COMPLETED",
    "voicemail": "COMPLETED",
    "done": "COMPLETED",
    "no_answer": "NO_ANSWER",
    "busy": "BUSY",
    "declined": "NO_ANSWER",
    "failed": "FAILED",
    "cancelled": "CANCELED",
}
_STATUSES_OF_HUBSPOT: Final = frozenset(
    [
        "BUSY",
        "CALLING_CRM_USER",
        "CANCELED",
        "COMPLETED",
        "CONNECTING",
        "FAILED",
        "IN_PROGRESS",
        "NO_ANSWER",
        "QUEUED",
        "RINGING",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A contact in the CRM; `properties` holds those that have a value."""

    id: str
    properties: dict[str, str]


class _Object(msgspec.Struct):
    id: str
    properties: Any = None


class _Results(msgspec.Struct):
    results: list[_Object]


class HubSpotAdapter:
    """Turns callagent's operations into HubSpot requests, and its answers into outcomes.

    `utc` gives the seconds since 1970. Every method raises only `ServiceError`s.
    """

    def __init__(self, http: Http, settings: Crm, token: str, utc: Callable[[], float]) -> None:
        self._exchange = Exchange(http=http, service="crm", utc=utc, secret=token)
        self._settings = settings
        self._headers = {"authorization": f"Bearer {token}"}
        timeout_s = settings.policy.health.timeout_s
        self._health = self._request("health", "GET", settings.account_path, timeout_s=timeout_s)

    async def look_up(self, *, crm_id: str, number: str) -> Person | None:
        """Return the person with this id, else the one with this number (E.164), else nothing."""
        if crm_id:
            person = await self._read(crm_id)
            if person is not None:
                return person
        return await self._search_number(number) if number else None

    async def _read(self, crm_id: str) -> Person | None:
        query = urlencode({"properties": ",".join(PROPERTIES)})
        path = f"{self._settings.objects_path}/contacts/{quote(crm_id, safe='')}?{query}"
        request = self._request("look_up", "GET", path)
        response = await self._exchange.send(request)
        if is_missing(response):
            return None
        return _person(self._read_as(response, _Object))

    async def _search_number(self, number: str) -> Person | None:
        """Search the number as written and, since HubSpot drops it, without its country code."""
        filters = [("phone", number), ("mobilephone", number)]
        national = _national(number)
        if national:
            filters.append(("hs_searchable_calculated_phone_number", national))
        groups = [
            {"filters": [{"propertyName": name, "operator": "EQ", "value": value}]}
            for name, value in filters
        ]
        body = {"filterGroups": groups, "properties": list(PROPERTIES), "limit": 1}
        path = f"{self._settings.objects_path}/contacts/search"
        found = await self._search("look_up", path, body)
        return _person(found[0]) if found else None

    async def _search(self, operation: str, path: str, body: dict[str, Any]) -> list[_Object]:
        request = self._request(operation, "POST", path, body=body)
        return self._read_as(await self._exchange.send(request), _Results).results

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
        """Write a call into the CRM, at the person when `crm_id` names one; return its id there.

        `status` is the call's result (answered, no_answer …) or a status of HubSpot's own.
        HubSpot has no idempotency key here: before a record whose answer was lost is repeated,
        ask `find_record(marker)`; the marker ends the title.
        """
        properties = {
            "hs_timestamp": utc_text(at_utc_s),
            "hs_call_title": f"{title} {marker}".strip(),
            "hs_call_body": f"{body}\n\ncallagent {call_id}".strip(),
            "hs_call_duration": str(round(duration_s * 1000)),
            "hs_call_direction": "OUTBOUND",
            "hs_call_to_number": to_number,
        }
        # HubSpot refuses a status that is not on its list.
        known_status = _STATUSES.get(status.lower(), status.upper())
        if known_status in _STATUSES_OF_HUBSPOT:
            properties["hs_call_status"] = known_status
        payload: dict[str, Any] = {"properties": properties}
        if crm_id:
            payload["associations"] = [{"to": {"id": crm_id}, "types": [_CALL_TO_CONTACT]}]
        path = f"{self._settings.objects_path}/calls"
        request = self._request("record", "POST", path, body=payload)
        return self._read_as(await self._exchange.send(request), _Object).id

    async def find_record(self, marker: str) -> str | None:
        """Return the id of the call recorded with this marker, or nothing.

        HubSpot's search index lags behind its writes by an unstated time.
        """
        token = {"propertyName": "hs_call_title", "operator": "CONTAINS_TOKEN", "value": marker}
        body = {
            "filterGroups": [{"filters": [token]}],
            "properties": ["hs_call_title"],
            "limit": 10,
        }
        path = f"{self._settings.objects_path}/calls/search"
        found = await self._search("find_record", path, body)
        # A token search matches loosely: only the marker as a whole word is proof.
        titled = ((call.id, text(mapping(call.properties).get("hs_call_title"))) for call in found)
        return next((known for known, title in titled if f" {marker} " in f" {title} "), None)

    async def health(self) -> None:
        """Read the account's details."""
        self._read_as(await self._exchange.send(self._health), dict)

    def _request(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        timeout_s: float | None = None,
    ) -> Request:
        headers = self._headers
        if body is not None:
            headers = {**headers, "content-type": "application/json"}
        return Request(
            target=f"{self._exchange.service}.{operation}",
            method=method,
            path=path,
            headers=headers,
            body=b"" if body is None else msgspec.json.encode(body),
            timeout_s=self._settings.timeout_s if timeout_s is None else timeout_s,
            # Else one person could be taken for another, or a record for written.
            alone=operation != "health",
        )

    def _read_as(self, response: Response, shape: type[_Shape]) -> _Shape:
        if not is_ok(response):
            raise error_of(self._exchange, response)
        value = decode(response.body, shape)
        if value is None:
            raise self._exchange.unreadable(response, kind=ServiceUnavailable)
        return value


def _person(found: _Object) -> Person:
    stated = {name: text(value) for name, value in mapping(found.properties).items()}
    return Person(id=found.id, properties={name: value for name, value in stated.items() if value})


@lru_cache(maxsize=1024)
def _national(number: str) -> str:
    """Return a number without its country code, as HubSpot's search index holds it."""
    import phonenumbers  # noqa: PLC0415 — costs more to import than the rest of this file.

    try:
        return str(phonenumbers.national_significant_number(phonenumbers.parse(number)))
    except phonenumbers.NumberParseException:
        return ""
