"""`simulate --compare A.yaml --compare B.yaml`: one world, several settings, one table."""

from collections.abc import Iterator
from string import ascii_lowercase
from typing import Final

from callagent_cli.cli.simulate.cost import meanings, seconds_text
from callagent_cli.cli.simulate.labels import labeled, print_labeled
from callagent_cli.cli.simulate.meter import Meter
from callagent_cli.cli.simulate.policies import Policies
from callagent_cli.cli.text.output import standard_output
from callagent_cli.durations import duration_text
from callagent_cli.errors import ExitCode, ScenarioError
from callagent_cli.simulation.judge.verdict import UNENDING_HINT
from callagent_cli.simulation.scenario.loader import LoadedScenario
from callagent_cli.simulation.sweep.compare import Compared, compare

SCHEMA: Final = "callagent.simulation-comparison/v1"
_WIDTH_MAX: Final = 80 - len(labeled("") + " ")
_MEASURES: Final = (
    "calls done",
    "calls failed",
    "calls delayed",
    "calls protected",
    "requests wasted",
    "requests in all",
    "time to detect",
    "time to mitigate",
    "time to recover",
    "the whole world",
    "unmet expectations",
)


def run_comparison(loaded: LoadedScenario, seed: int, policies: Policies, *, json: bool) -> int:
    """Compare settings, as `policies_of` reads them, with what the scenario says itself.

    The exit code is 1 when an invariant broke under any of them. Raises `ScenarioError` when the
    scenario itself lets nothing finish, whatever the settings.
    """
    scenario = loaded.scenario
    output = standard_output()
    rows, interrupted = _compared(loaded, seed, policies)
    if json:
        output.document(
            {
                "schema": SCHEMA,
                "label": "SIMULATION",
                "scenario": scenario.name,
                "seed": seed,
                "interrupted": interrupted,
                "compared": rows,
            }
        )
    else:
        for line in _table(rows):
            output.line(labeled(line))
        for row in rows:
            for text in row.unsafe:
                print_labeled(f"{row.settings}: {text}")
        if interrupted:
            text = f"interrupted: {len(rows)} of {len(policies)} settings were tried"
            output.line(labeled(text))
    if interrupted:
        return int(ExitCode.INTERRUPTED)
    if all(row.invalid for row in rows):
        raise ScenarioError(rows[0].invalid, hint=UNENDING_HINT)
    return int(ExitCode.FAILED if any(row.unsafe for row in rows) else ExitCode.DONE)


def _compared(loaded: LoadedScenario, seed: int, policies: Policies) -> tuple[list[Compared], bool]:
    """Return the rows in the order of the policies, and whether Ctrl-C kept some away."""
    rows: list[Compared] = []
    interrupted = False
    meter = Meter(loaded.scenario.name, len(policies), "settings")
    try:
        for row in compare(loaded, seed, policies, idle=meter.tell):
            rows.append(row)
            meter.take(broken=bool(row.unsafe))
    except KeyboardInterrupt:
        interrupted = True
    order = list(policies)
    return sorted(rows, key=lambda row: order.index(row.settings)), interrupted


def _table(rows: list[Compared]) -> Iterator[str]:
    """Yield one line a measure, with the settings side by side; so it fits into 80 columns.

    Names too long for that stand above with the letters that stand for them; so does what is meant
    by delayed and protected.
    """
    if not rows:
        return
    yield from meanings()
    names = [row.settings for row in rows]
    lines = _aligned(names, rows)
    if len(lines[0]) > _WIDTH_MAX:
        letters = [f"[{letter}]" for letter, _ in zip(ascii_lowercase, names, strict=False)]
        yield from (f"{letter} {name}" for letter, name in zip(letters, names, strict=False))
        lines = _aligned([*letters, *names[len(letters) :]], rows)
    yield from lines


def _aligned(names: list[str], rows: list[Compared]) -> list[str]:
    """Return the lines of the table, each measure beside its figures."""
    cells = [[name, *_cells(row)] for name, row in zip(names, rows, strict=True)]
    columns = [["", *_MEASURES], *cells]
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(
            f"{cell:{'>' if number else '<'}{width}}"
            for number, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in zip(*columns, strict=True)
    ]


def _cells(row: Compared) -> list[str]:
    cost = row.cost
    return [
        str(row.totals.get("done", 0)),
        str(cost.calls_failed),
        str(cost.calls_delayed),
        str(cost.calls_protected),
        str(cost.requests_wasted),
        str(row.requests),
        *(seconds_text(each) for each in (cost.detect_s, cost.mitigate_s, cost.recover_s)),
        duration_text(float(round(row.world_s))),
        str(row.unmet),
    ]
