"""The error answers of the voice platform."""

from collections.abc import Sequence

from callagent_cli.simulation.twins.twin import JsonObject, TwinAnswer, json_answer


def refused(
    status: int, kind: str, code: str, message: str, *, legacy_status: str = "", request_id: str
) -> TwinAnswer:
    """Return an error in the current envelope; `legacy_status` differs from `code` at times."""
    detail = {
        "type": kind,
        "code": code,
        "message": message,
        "status": legacy_status or code,
        "request_id": request_id,
        "param": None,
    }
    return json_answer(status, {"detail": detail}, headers={"x-trace-id": request_id})


def invalid(faults: Sequence[JsonObject]) -> TwinAnswer:
    """Return the 422 that FastAPI gives, a list of what is wrong where."""
    return json_answer(422, {"detail": list(faults)})


def missing(*location: str) -> JsonObject:
    """Return one entry of a 422: a required field is absent."""
    return {"type": "missing", "loc": list(location), "msg": "Field required"}


def not_text(*location: str) -> JsonObject:
    """Return one entry of a 422: a field is no string."""
    message = "Input should be a valid string"
    return {"type": "string_type", "loc": list(location), "msg": message}


def not_json() -> JsonObject:
    """Return the entry of a 422 whose body is no JSON object."""
    return {"type": "json_invalid", "loc": ["body", 0], "msg": "JSON decode error"}


def unknown_route() -> TwinAnswer:
    """Return what FastAPI says to a path it does not serve; `detail` is plain text here."""
    return json_answer(404, {"detail": "Not Found"})
