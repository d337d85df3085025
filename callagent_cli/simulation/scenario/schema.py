"""The JSON Schema by which an editor completes and checks a scenario while it is written."""

from typing import Any, Final

import msgspec

from callagent_cli.durations import DURATION_MARK
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.words import event_fields, targets

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_TARGETED: Final = ("Phase", "WireExpectation", "ReachedExpectation")
_DURATION: Final = r"((\d+(\.\d+)?(ms|s|m|h|d))+|\d+(\.\d+)?)$"
_SIGNS: Final = ("minimum", "exclusiveMinimum")
"""What is not below zero where a duration cannot be; a shift of the clock can."""


def scenario_schema() -> dict[str, Any]:
    """Return the schema of `scenario/v1`.

    What follows from more than one key (a phase that ends before it starts, two kinds of fault) is
    beyond it: `callagent scenarios check` finds that.
    """
    schema = msgspec.json.schema(Scenario)
    _widen_durations(schema)
    kinds = schema["$defs"]
    for kind in _TARGETED:
        target = kinds[kind]["properties"]["target"]
        target["enum"] = [*([""] if "default" in target else []), *targets()]
    kinds["LogExpectation"]["properties"]["event"]["enum"] = list(event_fields())
    return {"$schema": DIALECT, "title": "callagent scenario/v1", **schema}


def _widen_durations(schema: Any) -> None:  # noqa: ANN401 — JSON.
    """Allow texts such as `1m30s` where the type is a number of seconds."""
    if isinstance(schema, dict):
        if schema.get("format") == DURATION_MARK:
            del schema["format"]
            schema["type"] = ["number", "string"]
            sign = r"^\+?" if any(schema.get(key, -1) >= 0 for key in _SIGNS) else "^[+-]?"
            schema["pattern"] = sign + _DURATION
        for part in schema.values():
            _widen_durations(part)
    elif isinstance(schema, list):
        for part in schema:
            _widen_durations(part)
