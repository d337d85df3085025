"""One world of `callagent simulate`: run it, show what happens, judge it."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlsplit

from callagent_cli.cli.simulate.command import SimulateOptions
from callagent_cli.cli.simulate.journal import JournalFile, journal_of
from callagent_cli.cli.simulate.kills import read_kills, written
from callagent_cli.cli.simulate.labels import print_labeled
from callagent_cli.cli.simulate.report import document, interrupted_lines, report_lines
from callagent_cli.cli.simulate.show import Progress, Show, interrupting
from callagent_cli.cli.text.output import standard_output
from callagent_cli.errors import ExitCode, ScenarioError, UsageError
from callagent_cli.events import Stamped
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.judge.verdict import (
    UNENDING_HINT,
    Verdict,
    judge,
    smallest_timeout_s,
)
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.wire.sockets import require_loopback
from callagent_cli.simulation.worlds.stage import Follow, Stage
from callagent_cli.simulation.worlds.world import World


def _watched(
    evidence: Evidence, verdict: Verdict, seed: int, *, options: SimulateOptions, interrupted: bool
) -> int:
    """Play the world on the screen if that was asked for; not 0 when a signal ended it."""
    recording = evidence.recording
    if recording is None:
        return 0
    from callagent_cli.cli.simulate.screen import watch

    with closing(recording):
        if interrupted:
            return 0
        speed, ascii_only = options.speed, options.ascii_only
        left = watch(evidence, verdict, seed=seed, speed=speed, ascii_only=ascii_only)
    return int(left) if left in {ExitCode.INTERRUPTED, ExitCode.TERMINATED} else 0


def virtually(scenario: Scenario, seed: int, options: SimulateOptions) -> int:
    """Run one world in virtual time, show it and judge it."""
    show, progress = Show(scenario, quiet=options.json), Progress(scenario)
    follow = _told_to(show, progress)
    kills = read_kills(options.kills)
    world = World(scenario, seed, follow=follow, record=options.tui)

    def run() -> Evidence:
        with interrupting(world):
            evidence = world.run(*kills)
        return replace(evidence, missed=[f"--kill {written(each)}" for each in world.missed])

    return _rehearsed(world, show, options, run=run)


def _told_to(show: Show, progress: Progress) -> Follow:
    def follow(at_s: float, stamped: Stamped) -> None:
        show.take(at_s, stamped)
        progress.take(at_s, stamped)

    return follow


def on_the_wire(scenario: Scenario, seed: int, options: SimulateOptions) -> int:
    """Run one world over loopback sockets, show it and judge it."""
    from callagent_cli.services.httpx_client import HttpxClient
    from callagent_cli.simulation.worlds.wire_world import WireWorld

    show, progress = Show(scenario, quiet=options.json, live=True), Progress(scenario)
    # Whoever reads lines as they happen sees how far the world is.
    follow = _told_to(show, progress) if options.json else show.take

    def client(base_url: str) -> HttpxClient:
        require_loopback(urlsplit(base_url).hostname)
        return HttpxClient(base_url=base_url)

    world = WireWorld(
        scenario,
        seed,
        client=client,
        speed=options.wire_speed,
        follow=follow,
        beat=progress.tell if options.json else None,
        record=options.tui,
    )

    def notes(evidence: Evidence) -> Iterator[str]:
        yield from world.notes
        timeout_s = smallest_timeout_s(evidence.settings)
        fidelity = world.fidelity
        yield (
            f"clock fidelity: p99 lag {fidelity.usual_s:.3f} s, worst {fidelity.worst_s:.3f} s, "
            f"of {timeout_s:g} s, the smallest timeout"
        )

    return _rehearsed(world, show, options, run=world.run, notes=notes)


def _rehearsed(
    world: Stage,
    show: Show,
    options: SimulateOptions,
    *,
    run: Callable[[], Evidence],
    notes: Callable[[Evidence], Iterable[str]] = lambda _: (),
) -> int:
    """Run a world, write its journal, judge it and show it; `notes` stand above the verdict.

    Raises `UsageError` when all that is done, if the journal could not be written meanwhile.
    """
    with journal_of(world, options.journal) as journal:
        evidence = run()
        verdict = judge(evidence)
        unwritten = _unwritten(journal, evidence, verdict, interrupted=world.interrupted)
    seed, interrupted = world.seed, world.interrupted
    if ended_by := _watched(evidence, verdict, seed, options=options, interrupted=interrupted):
        return ended_by
    told = list(notes(evidence))
    if options.json:
        shown = document(evidence, verdict, seed=seed, interrupted=interrupted, notes=told)
        standard_output().document(shown)
    else:
        for line in told:
            print_labeled(line)
        show.end(evidence.ended_at_s)
        lines = report_lines(evidence, verdict, seed=seed)
        for line in interrupted_lines(evidence, verdict) if interrupted else lines:
            print_labeled(line)
    if unwritten is not None:
        raise unwritten
    return _concluded(verdict, interrupted=interrupted)


def _unwritten(
    journal: JournalFile | None, evidence: Evidence, verdict: Verdict, *, interrupted: bool
) -> UsageError | None:
    """Complete the journal, if there is one; return why it could not be."""
    if journal is not None:
        try:
            journal.write(evidence, verdict, interrupted=interrupted)
        except UsageError as error:
            return error
    return None


def _concluded(verdict: Verdict, *, interrupted: bool) -> int:
    """Return the exit code; raises `ScenarioError` when the scenario let nothing finish."""
    if interrupted:
        return int(ExitCode.INTERRUPTED)
    if verdict.status == "invalid":
        raise ScenarioError(verdict.reason, hint=UNENDING_HINT)
    return verdict.exit_code
