"""The frame of the command line: options of the program itself, and the boundary for errors."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, cast

import typer
from typer.core import TyperGroup

from callagent_cli import __version__
from callagent_cli.cli.commands import COMMANDS
from callagent_cli.cli.text import diagnostics
from callagent_cli.cli.text.output import standard_output
from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.cli.text.termination import like_ctrl_c
from callagent_cli.errors import CallAgentError, ExitCode, UsageError

CRASH_FOLDER: Final = Path(".callagent")

TyperUsageError = cast("type[typer.BadParameter]", typer.BadParameter.__bases__[0])
"""Typer's own usage errors: it exports the class below this one only."""


class CommandGroup(TyperGroup):
    """The program's commands; a mistyped one is answered with the nearest that exists."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 — as Typer has it.
        """Return a command by name; raises `UsageError` when there is none."""
        name = args[0]
        unknown = not name.startswith("-") and self.get_command(ctx, name) is None
        if unknown and not ctx.resilient_parsing:
            known = self.list_commands(ctx)
            hint = hint_for(name, known, otherwise="list the commands: `callagent --help`")
            raise UsageError(f"no command `{name}`", hint=hint)
        return super().resolve_command(ctx, args)


def program(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit; -v adds surroundings.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="With --version: say more.")
    ] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Print without colors.")] = False,
) -> None:
    """Place outbound AI phone calls from a contact list, through services that fail.

    \b
    Examples:
      callagent run contacts.csv           in the sandbox: no phone rings
      callagent simulate elevenlabs-503    rehearse an outage in virtual time
      callagent status                     how the campaign stands
    """
    if no_color:
        os.environ["NO_COLOR"] = "1"  # Rich, Textual and child processes obey it too.
    if version:
        _print_version(verbose=verbose)
    elif context.invoked_subcommand is None:
        standard_output().line(context.get_help())


def _print_version(*, verbose: bool) -> NoReturn:
    output = standard_output()
    output.line(f"callagent {__version__}")
    if verbose:
        from callagent_cli.cli.text.surroundings import surroundings

        for line in surroundings():
            output.line(line)
    raise typer.Exit


def build_app() -> typer.Typer:
    """Return the command line with all its commands."""
    app = typer.Typer(
        name="callagent",
        cls=CommandGroup,
        rich_markup_mode=None,  # Plain help is the same in a pipe, and half as long to start.
        pretty_exceptions_enable=False,  # It prints local variables, secrets among them.
        context_settings={"help_option_names": ["-h", "--help"]},
        epilog="More: `callagent help exit-codes` and `callagent help environment`.",
    )
    app.callback(invoke_without_command=True)(program)
    for name, function in COMMANDS.items():
        app.command(name)(function)
    return app


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command line and end the process with its exit code."""
    with like_ctrl_c() as was_terminated:
        code = exit_code_of(sys.argv[1:] if arguments is None else list(arguments))
    sys.exit(ExitCode.TERMINATED if was_terminated() else code)


def exit_code_of(arguments: list[str]) -> int:
    """Run one command line; every error ends here as text for a person and an exit code."""
    try:
        code = _code(build_app()(args=arguments, prog_name="callagent", standalone_mode=False))
    except CallAgentError as error:
        diagnostics.error_of(error)
        code = error.exit_code
    except TyperUsageError as error:
        _show_usage_error(error)
        code = ExitCode.USAGE
    except (KeyboardInterrupt, typer.Abort):
        code = ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 — the last boundary of DESIGN.md: nothing is above it.
        code = _report_crash(error, arguments)
    return _after_last_write(code)


def _code(result: object) -> int:
    """Return what a command ended with: it raises `typer.Exit(code)`, or returns an exit code."""
    return result if isinstance(result, int) else ExitCode.DONE


def _show_usage_error(error: typer.BadParameter) -> None:
    path = error.ctx.command_path if error.ctx else "callagent"
    otherwise = f"see `{path} --help`"
    option = getattr(error, "option_name", "")
    if option and error.ctx:
        known = [name for parameter in error.ctx.command.params for name in parameter.opts]
        message = error.message
        hint = hint_for(option, known, otherwise=otherwise)
    else:
        message, hint = error.format_message(), otherwise
    message = message.strip().removesuffix(".").replace("'", "`")
    diagnostics.error(message[:1].lower() + message[1:], hint=hint)


def _report_crash(error: Exception, arguments: Sequence[str]) -> ExitCode:
    from callagent_cli.cli.text.crash import write_crash_report

    kind = type(error).__name__
    try:
        path = write_crash_report(error, arguments, CRASH_FOLDER)
    except OSError as problem:
        diagnostics.error(f"internal error ({kind}); no crash report: {problem.strerror}")
    else:
        diagnostics.error(f"internal error ({kind}); the report without secrets is in `{path}`")
    return ExitCode.INTERNAL


def _after_last_write(code: int) -> int:
    """Return the exit code, or another when what the command printed could not be written."""
    output = standard_output()
    output.flush()
    if output.failure is None:
        return code
    reason = output.failure.strerror
    diagnostics.error(
        f"cannot write to standard output: {reason}", hint="check where the output goes"
    )
    return code or ExitCode.USAGE
