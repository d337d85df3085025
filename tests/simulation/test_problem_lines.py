"""How the problems of a file are told."""

from pathlib import Path

import pytest

from callagent_cli.errors import ScenarioError
from callagent_cli.simulation.scenario.loader import parse_scenario
from callagent_cli.simulation.scenario.schema import scenario_schema
from callagent_cli.yaml_file import problems_error
from callagent_cli.yaml_reader import Problem

KINDS = scenario_schema()["$defs"]


def test_problems_of_one_line_keep_their_order() -> None:
    """Two runs over one file say the same in the same order, each thing once."""
    found = [Problem(1, f"problem {number}") for number in range(15)]

    error = problems_error(Path("a.yaml"), [*found, *found], error=ScenarioError)

    assert error.message.splitlines() == [f"a.yaml:1: {each.text}" for each in found]


def test_a_large_bound_is_written_out() -> None:
    """Nobody counts contacts in powers of ten."""
    with pytest.raises(ScenarioError, match="≤ 1000000, not 1000001"):
        parse_scenario("campaign: {contacts: 1000001}\n", Path("a.yaml"))


def test_the_schema_lets_only_a_clock_step_be_negative() -> None:
    """`for: -3s` is underlined in an editor; `by: -3s` is not."""
    for_, by = (KINDS["Phase"]["properties"][name]["anyOf"][0]["pattern"] for name in ("for", "by"))

    assert for_.startswith("^\\+?(")
    assert by.startswith("^[+-]?(")


def test_the_schema_offers_no_empty_target_where_one_is_needed() -> None:
    """A `wire` expectation is about a service or an operation; `reached` may be about any."""
    assert "" not in KINDS["WireExpectation"]["properties"]["target"]["enum"]
    assert "" in KINDS["ReachedExpectation"]["properties"]["target"]["enum"]
