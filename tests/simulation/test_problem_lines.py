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


HEAD = """\
callagent: scenario/v1
name: a
title: A scenario with a misspelt key and more
campaign: {contacts: 5, lanez: 3}
until: {at_most: 1h}
"""


def _told(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, Path("a.yaml"))
    return caught.value.message.splitlines()


def test_a_wrong_type_hides_no_other_problem() -> None:
    """What can be made of the file is checked too, so that one round of corrections is enough."""
    told = _told(
        HEAD
        + "timeline:\n  - {name: p, at: 1s, until: 0s, target: lmm, fault: {hang: true}}\n"
        + "expect: {wire: [{target: crn, requests: 0}]}\n"
    )

    assert [line.split(": ")[0] for line in told] == [
        "a.yaml:4",
        "a.yaml:7",
        "a.yaml:7",
        "a.yaml:8",
    ]
    assert "unknown key `campaign.lanez`" in told[0]
    assert "no service or operation `crn`" in told[3]


@pytest.mark.parametrize(
    "phase",
    [
        "{name: p, at: 1s, target: llm, fault: {hnag: true}}",
        "{name: p, at: 1s, do: kil}",
        "{name: p, at: 1s, for: long, target: llm, fault: {hang: true}}",
        "{at: 1s, target: llm, fault: {hang: true}}",
    ],
)
def test_what_follows_from_a_wrong_type_is_not_told(phase: str) -> None:
    """A misspelt kind of fault is no phase without a fault, and a bad length no endless phase."""
    never = "expect: {never: [{event: alert_raised, of: p.end}]}\n"
    text = HEAD.replace("lanez", "lanes") + f"timeline:\n  - {phase}\n{never}"

    assert len(_told(text)) == 1


def test_a_file_may_have_many_problems() -> None:
    """Forty are told one by one; a hundred is where nobody reads on."""
    phases = "".join(
        f"  - {{name: p{number}, at: 1s, target: lmm, fault: {{hang: true}}}}\n"
        for number in range(120)
    )

    told = _told(HEAD + f"timeline:\n{phases}")

    assert (len(told), told[-1]) == (101, "… and 21 more")


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
