"""Which kind of fault a scenario's `fault` mapping is, and what may stand beside it."""

import re
from collections.abc import Mapping
from typing import Final

from callagent_cli.simulation.scenario.format import Fault

KINDS: Final = (
    "status",
    "hang",
    "refuse",
    "blackhole",
    "dns",
    "reset",
    "truncate",
    "garbage",
    "malformed",
    "drip",
    "rate_limit",
    "quota",
    "stale_keepalive",
    "overloaded",
    "silent",
)
"""Every kind but `latency`, which is a kind when it stands alone and a delay beside another."""

_NEVER_SENT: Final = frozenset({"refuse", "blackhole", "dns"})
_REFUSED_FOR_CERTAIN: Final = frozenset({"rate_limit", "quota"})
_ALWAYS_DONE: Final = frozenset({"latency", "drip"})
_CLIENT_ERRORS: Final = range(400, 500)
_ERRORS: Final = range(400, 600)
_WITHOUT_BODY: Final = frozenset({204, 205, 304})
_FRAMING: Final = frozenset(
    {"content-length", "transfer-encoding", "content-encoding", "connection", "upgrade", "trailer"}
)
"""Headers that say how the body is sent: a wrong one is another kind of fault (`truncate` …)."""

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"(?:[!-~](?:[ \t!-~]*[!-~])?)?")


def kinds_of(fault: Fault) -> list[str]:
    """Return the kinds that a fault names; exactly one is right."""
    values = {kind: getattr(fault, kind) for kind in KINDS}
    named = [kind for kind, value in values.items() if value is not None and value is not False]
    return named or (["latency"] if fault.latency is not None else [])


def kind_of(fault: Fault) -> str:
    """Return the kind of a checked fault."""
    return kinds_of(fault)[0]


def fault_problems(fault: Fault) -> list[tuple[str, str]]:
    """Return what is wrong with a fault: the key, and a sentence."""
    kinds = kinds_of(fault)
    if not kinds:
        known = ", ".join(["latency", *KINDS])
        return [("", f"names no kind of fault; known: {known}")]
    if len(kinds) > 1:
        names = " and ".join(f"`{kind}`" for kind in kinds)
        return [("", f"names {names}; a phase has exactly one kind of fault")]
    return [*_answer_problems(fault, kinds[0]), *_applied_problems(fault, kinds[0])]


def _answer_problems(fault: Fault, kind: str) -> list[tuple[str, str]]:
    if kind == "status":
        return [*_body_problems(fault), *_header_problems(fault.headers)]
    given = {"body": fault.body is not None, "headers": bool(fault.headers)}
    given["retry_after"] = fault.retry_after is not None
    return [(key, f"only goes with `status`, not with `{kind}`") for key in given if given[key]]


def _body_problems(fault: Fault) -> list[tuple[str, str]]:
    if fault.status in _WITHOUT_BODY and fault.body is not None and fault.body != "":
        return [("body", f"cannot go with {fault.status}: such an answer has none")]
    return []


def _header_problems(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    found = []
    for name, value in headers.items():
        if _HEADER_NAME.fullmatch(name) is None:
            found.append(("headers", f"name `{name}`, which no header can be called"))
        elif name.lower() in _FRAMING:
            found.append(("headers", f"name `{name}`: it is set to what the body is"))
        elif _HEADER_VALUE.fullmatch(value) is None:
            found.append(("headers", f"give `{name}` a value that no header can have"))
    return found


def _applied_problems(fault: Fault, kind: str) -> list[tuple[str, str]]:
    if not fault.applied:
        return []
    status = fault.status
    if status in _CLIENT_ERRORS or kind in _REFUSED_FOR_CERTAIN:
        name = str(status) if kind == "status" else kind
        return [("applied", f"cannot go with `{name}`: such an answer says that nothing was done")]
    if kind in _NEVER_SENT:
        return [("applied", f"cannot go with `{kind}`: the request never reaches the provider")]
    if kind in _ALWAYS_DONE:
        return [("applied", f"is not needed with `{kind}`: the provider always does the work")]
    if kind == "status" and status not in _ERRORS:
        return [("applied", f"cannot go with {status}: only an error can hide work that was done")]
    return []
