"""What `callagent scenarios` does: list the library, check files."""

from pathlib import Path

from callagent_cli.cli.text import diagnostics
from callagent_cli.cli.text.output import standard_output
from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.errors import ExitCode, ScenarioError, UsageError
from callagent_cli.simulation.scenario.loader import find_scenario, library, load_scenario, own

SCHEMA = "callagent.scenarios/v1"
_EACH = "`callagent scenarios check FILE` says of one file what helps"


def run_scenarios(action: str, files: list[Path], *, json: bool) -> int:
    """List or check; raises `UsageError` for anything else, `ScenarioError` for a bad file."""
    if not action:
        return _list(json=json)
    if action == "schema":
        return _print_schema(files)
    if action != "check":
        hint = hint_for(
            action, ["check", "schema"], otherwise="`callagent scenarios` lists them all"
        )
        raise UsageError(f"`callagent scenarios` cannot `{action}`", hint=hint)
    if not files:
        raise UsageError("no file to check", hint="`callagent scenarios check FILE`")
    return _check(files, json=json)


def _print_schema(files: list[Path]) -> int:
    """Print what an editor needs to complete and check scenarios."""
    if files:
        hint = "`callagent scenarios schema > scenario.schema.json`"
        raise UsageError("`callagent scenarios schema` takes no file", hint=hint)
    from callagent_cli.simulation.scenario.schema import scenario_schema

    standard_output().document(scenario_schema())
    return int(ExitCode.DONE)


def _list(*, json: bool) -> int:
    output = standard_output()
    paths = {path.stem: path for path in [*library(), *own()]}
    titles = {name: _title(path) for name, path in sorted(paths.items())}
    if json:
        rows = [{"name": name, "title": title} for name, title in titles.items()]
        output.document({"schema": SCHEMA, "scenarios": rows})
        return int(ExitCode.DONE)
    width = max(map(len, titles), default=0)
    for name, title in titles.items():
        output.line(f"{name:<{width}}  {title}")
    if output.terminal:
        diagnostics.note("play one with `callagent simulate NAME`, or watch it: add `--tui`")
    return int(ExitCode.DONE)


def _title(path: Path) -> str:
    """Return what a scenario says of itself; one's own may be half written."""
    try:
        return load_scenario(path).scenario.title
    except ScenarioError:
        return f"cannot be used: `callagent scenarios check {path}`"


def _check(files: list[Path], *, json: bool) -> int:
    problems: dict[str, str] = {}
    hints: set[str] = set()
    for file in files:
        try:
            load_scenario(find_scenario(str(file)))
        except ScenarioError as error:
            problems[str(file)] = error.message
            hints.add(error.hint)
    output = standard_output()
    rows = [{"file": str(file), "problem": problems.get(str(file), "")} for file in files]
    if json:
        output.document({"schema": SCHEMA, "checked": rows})
        return int(ExitCode.USAGE if problems else ExitCode.DONE)
    for row in rows:
        if not row["problem"]:
            output.line(f"{row['file']}: fine")
    if problems:
        # What helps with one of the files may mislead with another.
        hint = hints.pop() if len(hints) == 1 else _EACH
        raise ScenarioError("\n".join(problems.values()), hint=hint)
    return int(ExitCode.DONE)
