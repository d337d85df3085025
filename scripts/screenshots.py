"""Makes the pictures of the README: `python scripts/screenshots.py [--png FOLDER]`.

They show the scenario elevenlabs-503 as it really runs, at moments of its outage, in virtual time:
every run of this script makes the same pictures.
"""

import argparse
import asyncio
from datetime import UTC
from pathlib import Path
from typing import Final, NamedTuple

from callagent_cli.cli.screen.picture import png_of, svg_of
from callagent_cli.cli.simulate.replay import Replay
from callagent_cli.cli.simulate.screen import replay_screen
from callagent_cli.monitor.ports import Options
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.judge.verdict import Verdict, judge
from callagent_cli.simulation.scenario.loader import find_scenario, load_scenario
from callagent_cli.simulation.worlds.world import World

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
SIZES: Final = ((59, 15), (80, 24), (120, 40), (200, 60))


class Shot(NamedTuple):
    """One picture: a scenario at a second of its world."""

    name: str
    scenario: str
    at_s: float
    size: tuple[int, int] = (120, 34)
    light: bool = False


SHOTS: Final = (
    Shot("incident", "elevenlabs-503", 70.0),
    Shot("incident-light", "elevenlabs-503", 70.0, light=True),
    Shot("retrying", "elevenlabs-503", 22.0, (80, 24)),
    Shot("recovering", "elevenlabs-503-lanes", 205.0),
)
"""What stands in docs/."""


def world(name: str) -> tuple[Evidence, Verdict]:
    """Run a scenario under its own seed."""
    scenario = load_scenario(find_scenario(name)).scenario
    evidence = World(scenario, scenario.seed, record=True).run()
    return evidence, judge(evidence)


def painted(shot: Shot, ran: tuple[Evidence, Verdict]) -> str:
    """Return the SVG of a moment."""
    evidence, verdict = ran
    now_s = [0.0]
    replay = Replay(evidence, verdict, seed=evidence.scenario.seed, clock_s=lambda: now_s[0])
    now_s[0] = shot.at_s / replay.speed
    replay.hold()
    replay.held = False  # Time stands still because this clock does; the screen need not say so.
    look = Options(feed=replay, pace=replay, light=shot.light, zone=UTC, paint_every_s=None)
    return asyncio.run(svg_of(replay_screen(evidence, replay, look), shot.size))


def main() -> None:
    """Write the SVGs, and with `--png` every size in both themes for a look at them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--png", type=Path, help="also write PNGs of every size there")
    wanted = parser.parse_args()
    worlds = {name: world(name) for name in sorted({shot.scenario for shot in SHOTS})}
    DOCS.mkdir(exist_ok=True)
    for shot in SHOTS:
        (DOCS / f"{shot.name}.svg").write_text(painted(shot, worlds[shot.scenario]), "utf-8")
    if wanted.png is not None:
        wanted.png.mkdir(parents=True, exist_ok=True)
        for shot in (SHOTS[0], SHOTS[2], SHOTS[3]):
            for size in SIZES:
                for light in (False, True):
                    picture = shot._replace(size=size, light=light)
                    theme = "light" if light else "dark"
                    path = wanted.png / f"{shot.name}-{size[0]}x{size[1]}-{theme}.png"
                    path.write_bytes(png_of(painted(picture, worlds[shot.scenario])))


if __name__ == "__main__":
    main()
