"""The JSON Schema of scenarios, by which editors complete and check them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from callagent_cli.cli.simulate.scenarios_command import run_scenarios
from callagent_cli.errors import UsageError
from callagent_cli.simulation.scenario.loader import library
from callagent_cli.simulation.scenario.schema import scenario_schema
from callagent_cli.simulation.scenario.words import event_fields, targets

SCHEMA = scenario_schema()
KINDS = SCHEMA["$defs"]


def _strings(part: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 — JSON.
    if isinstance(part, dict):
        yield from part.items()
        for each in part.values():
            yield from _strings(each)
    elif isinstance(part, list):
        for each in part:
            yield from _strings(each)


def _unknown(plain: Any, kind: str) -> list[str]:  # noqa: ANN401 — YAML.
    return [key for key in plain if key not in KINDS[kind]["properties"]]


def test_a_duration_may_be_a_number_or_a_text() -> None:
    """`3m` is as good as 180, and `3 minutes` is neither."""
    at = KINDS["Phase"]["properties"]["at"]
    pattern = re.compile(at["pattern"])

    assert at["type"] == ["number", "string"]
    assert [bool(pattern.search(text)) for text in ("3m", "1h30m", "200ms", "90")] == [True] * 4
    assert [bool(pattern.search(text)) for text in ("", "3 minutes", "m")] == [False] * 3
    assert ("format", "duration") not in list(_strings(SCHEMA))


def test_an_editor_can_complete_targets_and_events() -> None:
    """What is a text to the format is a known word to the check, and so to the editor."""
    for kind in ("Phase", "WireExpectation", "ReachedExpectation"):
        assert set(targets()) <= set(KINDS[kind]["properties"]["target"]["enum"])
    assert KINDS["LogExpectation"]["properties"]["event"]["enum"] == list(event_fields())


def test_a_misspelt_key_is_refused_wherever_it_stands() -> None:
    """Each part of a scenario knows its keys, and no others."""
    for name, kind in KINDS.items():
        if kind.get("type") == "object":
            assert kind["additionalProperties"] is False, name


def test_the_clock_may_be_set_back() -> None:
    """A shift has a sign; how long something takes has none."""
    by = next(each for each in KINDS["Phase"]["properties"]["by"]["anyOf"] if "pattern" in each)

    assert re.search(by["pattern"], "-20m")
    assert not re.search(KINDS["Phase"]["properties"]["at"]["pattern"], "-20m")


@pytest.mark.parametrize("path", library(), ids=lambda path: path.stem)
def test_the_schema_knows_every_key_of_the_library(path: Any) -> None:  # noqa: ANN401 — a path.
    """No editor underlines a scenario that callagent itself brings."""
    plain = yaml.safe_load(path.read_text(encoding="utf-8"))

    unknown = _unknown(plain, "Scenario")
    for phase in plain.get("timeline", []):
        unknown += _unknown(phase, "Phase") + _unknown(phase.get("fault", {}), "Fault")
    unknown += _unknown(plain["expect"], "Expect")
    for part, kind in {"log": "Log", "never": "Log", "wire": "Wire", "reached": "Reached"}.items():
        for each in plain["expect"].get(part, []):
            unknown += _unknown(each, f"{kind}Expectation")

    assert unknown == []


def test_the_command_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """`callagent scenarios schema > FILE` gives an editor what it needs."""
    assert run_scenarios("schema", [], json=False) == 0

    assert json.loads(capsys.readouterr().out) == SCHEMA


def test_the_schema_is_printed_for_no_file() -> None:
    """A file after `schema` is a mistake, such as a forgotten `>`."""
    with pytest.raises(UsageError, match="takes no file"):
        run_scenarios("schema", [library()[0]], json=False)
