"""`simulate --tui`: shows a recorded world on the screen, with pause, step and speed."""

import asyncio
from pathlib import Path
from typing import Final

from callagent_cli.cli.place.service_names import service_names
from callagent_cli.cli.screen.beside import crash_reporter, shown_alone
from callagent_cli.cli.screen.terminal import speaks_ascii_only
from callagent_cli.cli.simulate.replay import SPEED, Replay
from callagent_cli.errors import ExitCode
from callagent_cli.monitor.app import MonitorApp
from callagent_cli.monitor.ports import CommandName, Options
from callagent_cli.monitor.state import ViewState
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.judge.verdict import Verdict

_DECIDED: Final = "the scenario decides: this is a rehearsal"


class NoCommands:
    """Refuses every wish: what is shown has happened already."""

    def refusal(self, _command: CommandName) -> str:
        """Return why nothing can be asked."""
        return _DECIDED

    def _refused(self, *_wish: object) -> str:
        return _DECIDED

    pause = resume = drain = stop = _refused
    trip = reset = check = acknowledge = mute = requeue = lanes = _refused


def replay_screen(evidence: Evidence, replay: Replay, options: Options) -> MonitorApp:
    """Return the screen of a replay."""
    state = ViewState(service_names(evidence.settings))
    state.seed({"pending": evidence.scenario.campaign.contacts})
    state.follow(replay.plan(), evidence.start_utc_s)
    return MonitorApp(state, NoCommands(), replay.utc, options)


def watch(
    evidence: Evidence,
    verdict: Verdict,
    *,
    seed: int,
    speed: float | None = None,
    ascii_only: bool = False,
) -> ExitCode:
    """Play a world on this terminal until the person leaves, or a signal ends it."""
    replay = Replay(evidence, verdict, seed=seed, speed=speed or SPEED)
    options = Options(
        feed=replay,
        pace=replay,
        ascii_only=ascii_only or speaks_ascii_only(),
        report_crash=crash_reporter(Path(evidence.settings.state_dir)),
    )
    return asyncio.run(shown_alone(replay_screen(evidence, replay, options)))
