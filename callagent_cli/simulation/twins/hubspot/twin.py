"""The CRM's twin: contacts that follow from the seed, and the calls recorded to them."""

import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from callagent_cli.clock import utc_text
from callagent_cli.simulation.twins.archive import Archive
from callagent_cli.simulation.twins.hubspot.search import Search
from callagent_cli.simulation.twins.keys import CRM_TOKEN
from callagent_cli.simulation.twins.latency import Latency
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.twins.twin import (
    Facts,
    JsonObject,
    RequestIds,
    TwinAnswer,
    TwinRequest,
    json_answer,
)

_CONTACTS: Final = "contacts"
_CALLS: Final = "calls"
_KIND: Final = "crm_call"
_FIRST_CALL_ID: Final = 70_000_000_000
_VALIDATION: Final = "VALIDATION_ERROR"


class CrmCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call recorded in the CRM; `key` is the unique property it was upserted by, if it was."""

    id: str
    key: str
    properties: JsonObject
    created_at: float
    updated_at: float

    def shown(self, properties: Iterable[str] = ()) -> JsonObject:
        """Return the object as the API shows it, with all properties or the named ones."""
        names = tuple(properties)
        held = self.properties
        shown = {name: held.get(name) for name in names} if names else held
        return {
            "id": self.id,
            "properties": {**shown, "hs_object_id": self.id},
            "createdAt": utc_text(self.created_at),
            "updatedAt": utc_text(self.updated_at),
            "archived": False,
        }


class _CreateBody(msgspec.Struct):
    properties: JsonObject = {}


class _InputBody(msgspec.Struct):
    id: str = ""
    id_property: str = msgspec.field(name="idProperty", default="")
    properties: JsonObject = {}


class _UpsertBody(msgspec.Struct):
    inputs: list[_InputBody] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSpotOptions:
    """What can be set about the twin.

    `known_share` of all phone numbers belong to a contact; a recorded call is found by the search
    only `search_lag_s` later.
    """

    token: str = CRM_TOKEN
    seed: int = 7
    known_share: float = 0.9
    search_lag_s: float = 0.0
    objects_path: str = "/crm/v3/objects"
    account_path: str = "/account-info/v3/details"


class HubSpotTwin:
    """Plays the CRM; calls kept in the ledger are still recorded after a restart."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        options: HubSpotOptions | None = None,
        latency: Latency | None = None,
        service: str = "crm",
    ) -> None:
        self.service = service
        self._options = options or HubSpotOptions()
        self._ledger = ledger
        self._latency = latency or Latency(f"{service}:{self._options.seed}")
        self._ids = RequestIds("crm-")
        self._versions = Archive(CrmCall)
        self._latest = array("q")
        self._by_key: dict[str, int] = {}
        for _, document in ledger.kept(_KIND):
            self._hold(msgspec.json.decode(document, type=CrmCall), len(self._latest))

    def calls(self) -> list[CrmCall]:
        """Return the recorded calls in the order they were first recorded."""
        return [self._versions[position] for position in self._latest]

    def describe(self, request: TwinRequest) -> Facts:
        """Say what a request is about; a record names its call at the end of its body."""
        path = request.path
        if request.method == "GET" and path == self._options.account_path:
            return Facts(operation="health", route=path)
        if not path.startswith(f"{self._options.objects_path}/"):
            return Facts()
        kind, _, rest = path.removeprefix(f"{self._options.objects_path}/").partition("/")
        if kind == _CONTACTS and request.method == "GET" and rest and "/" not in rest:
            route = f"{self._options.objects_path}/{_CONTACTS}/{{id}}"
            return Facts(operation="look_up", route=route)
        operation = _POSTS.get((kind, rest), "") if request.method == "POST" else ""
        if operation == "record" and not rest:
            return _facts_of_record(request, path)
        return Facts(operation=operation, route=path) if operation else Facts()

    def handle(self, request: TwinRequest, at: float, facts: Facts | None = None) -> TwinAnswer:
        """Carry the request out and answer it."""
        facts = facts or self.describe(request)
        answer = self._answer(request, facts, at)
        after_s = self._latency.draw(facts.operation)
        return TwinAnswer(answer.status, answer.headers, answer.body, after_s, answer.effect)

    def _answer(self, request: TwinRequest, facts: Facts, at: float) -> TwinAnswer:
        if not facts.operation:
            return self._refused(404, "OBJECT_NOT_FOUND", "resource not found")
        if request.headers.get("authorization") != f"Bearer {self._options.token}":
            message = "Authentication credentials not found or invalid."
            return self._refused(401, "INVALID_AUTHENTICATION", message)
        if facts.operation == "health":
            details = {"portalId": 1, "accountType": "SANDBOX", "timeZone": "UTC"}
            return json_answer(200, details)
        if request.method == "GET":
            return self._contact(request, at)
        try:
            return self._post(request, at)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return self._refused(400, _VALIDATION, f"Invalid input JSON: {error}")

    def _post(self, request: TwinRequest, at: float) -> TwinAnswer:
        calls_path = f"{self._options.objects_path}/{_CALLS}"
        if request.path == calls_path:
            return self._create(msgspec.json.decode(request.body, type=_CreateBody), at)
        if request.path == f"{calls_path}/batch/upsert":
            return self._upsert(msgspec.json.decode(request.body, type=_UpsertBody), at)
        search = Search.parse(request.body)
        if request.path == f"{calls_path}/search":
            return json_answer(200, search.page(self._found_calls(search, at)))
        return json_answer(200, search.page(self._found_contacts(search, at)))

    def _contact(self, request: TwinRequest, at: float) -> TwinAnswer:
        contact_id = request.path.rpartition("/")[2]
        if not contact_id.isdecimal():
            message = f"Object not found. objectId is {contact_id}."
            return self._refused(404, "OBJECT_NOT_FOUND", message)
        names = tuple(request.first("properties").split(","))
        return json_answer(200, _contact(contact_id, names, {}, at))

    def _found_contacts(self, search: Search, at: float) -> list[JsonObject]:
        phone = search.wanted("phone") or search.wanted("hs_searchable_calculated_phone_number")
        checksum = zlib.crc32(phone.encode(), self._options.seed & 0xFFFFFFFF)
        if not phone or checksum / 2**32 >= self._options.known_share:
            return []
        return [_contact(str(checksum), search.properties, {"phone": phone}, at)]

    def _found_calls(self, search: Search, at: float) -> list[JsonObject]:
        return [
            call.shown(search.properties)
            for call in self.calls()
            if call.created_at + self._options.search_lag_s <= at
            and search.accepts(call.properties)
        ]

    def _create(self, body: _CreateBody, at: float) -> TwinAnswer:
        if not body.properties.get("hs_timestamp"):
            return self._refused(400, _VALIDATION, "Required properties missing: hs_timestamp")
        call = self._write("", body.properties, at)
        answer = json_answer(201, call.shown())
        return TwinAnswer(201, answer.headers, answer.body, effect=True)

    def _upsert(self, body: _UpsertBody, at: float) -> TwinAnswer:
        results: list[JsonObject] = []
        errors: list[JsonObject] = []
        for each in body.inputs:
            if not each.id_property or not each.id:
                errors.append(self._envelope(_VALIDATION, "idProperty and id are required"))
                continue
            key = f"{each.id_property}={each.id}"
            is_new = key not in self._by_key
            call = self._write(key, {**each.properties, each.id_property: each.id}, at)
            results.append({**call.shown(), "new": is_new})
        answer: JsonObject = {"status": "COMPLETE", "results": results}
        if errors:
            answer |= {"numErrors": len(errors), "errors": errors}
        sent = json_answer(207 if errors else 200, answer)
        return TwinAnswer(sent.status, sent.headers, sent.body, effect=bool(results))

    def _write(self, key: str, properties: JsonObject, at: float) -> CrmCall:
        number = self._by_key.get(key, len(self._latest))
        held = self._versions[self._latest[number]] if key in self._by_key else None
        call = CrmCall(
            id=held.id if held else str(_FIRST_CALL_ID + number),
            key=key,
            properties={**(held.properties if held else {}), **properties},
            created_at=held.created_at if held else at,
            updated_at=at,
        )
        self._hold(call, number)
        self._ledger.keep(_KIND, call.id, msgspec.json.encode(call))
        return call

    def _hold(self, call: CrmCall, number: int) -> None:
        """Keep what the CRM knows of its `number`-th call, counted from 0."""
        position = self._versions.append(call)
        if number == len(self._latest):
            self._latest.append(position)
        else:
            self._latest[number] = position
        if call.key:
            self._by_key[call.key] = number

    def _envelope(self, category: str, message: str) -> JsonObject:
        return {
            "status": "error",
            "message": message,
            "correlationId": self._ids.next(),
            "category": category,
        }

    def _refused(self, status: int, category: str, message: str) -> TwinAnswer:
        return json_answer(status, self._envelope(category, message))


_POSTS: Final = {
    (_CONTACTS, "search"): "look_up",
    (_CALLS, ""): "record",
    (_CALLS, "search"): "find_record",
    (_CALLS, "batch/upsert"): "record",
}


def _facts_of_record(request: TwinRequest, route: str) -> Facts:
    properties = (request.json_object() or {}).get("properties")
    held = properties if isinstance(properties, dict) else {}
    _, named, call_id = str(held.get("hs_call_body") or "").rpartition("callagent ")
    return Facts(
        operation="record",
        route=route,
        call_id=call_id.strip() if named else "",
        number=str(held.get("hs_call_to_number") or ""),
    )


def _contact(contact_id: str, names: Iterable[str], known: JsonObject, at: float) -> JsonObject:
    held = {"firstname": "Sandbox", "lastname": f"Contact {contact_id}", **known}
    wanted = [name for name in names if name]
    properties = {name: held.get(name) for name in wanted} if wanted else held
    return {
        "id": contact_id,
        "properties": {**properties, "hs_object_id": contact_id},
        "createdAt": utc_text(at),
        "updatedAt": utc_text(at),
        "archived": False,
    }
