"""The scenario of ten thousand contacts with fewer of them: all that it expects stays."""

from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import find_scenario, parse_scenario

DAY = "day-long-outage"


def day_of(contacts: int, *, lanes: int = 50) -> Scenario:
    """Return the day without ElevenLabs in a campaign of so many contacts."""
    path = find_scenario(DAY)
    text = path.read_text(encoding="utf-8").replace("10000", str(contacts))
    text = text.replace("lanes: 50", f"lanes: {lanes}")
    return parse_scenario(text, path).scenario
