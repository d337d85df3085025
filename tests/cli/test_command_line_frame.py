"""The frame of the command line: help, versions, errors, crash reports and exit codes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
import typer

from callagent_cli import __version__
from callagent_cli.cli import app
from callagent_cli.cli.app import exit_code_of
from callagent_cli.cli.commands import COMMANDS
from callagent_cli.cli.text.exit import MEANINGS
from callagent_cli.cli.text.topics import ENVIRONMENT
from callagent_cli.errors import CallAgentError, ContactsError, ExitCode, StorageFull

Capture = pytest.CaptureFixture[str]


def _callagent(
    *arguments: str, folder: Path, output: int = subprocess.PIPE
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "callagent_cli", *arguments]
    return subprocess.run(
        command, stdout=output, stderr=subprocess.PIPE, text=True, check=False, cwd=folder
    )


@pytest.fixture
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def act(monkeypatch: pytest.MonkeyPatch, _in_folder: None) -> Callable[[Callable[[], Any]], int]:
    """Return a function that runs `callagent act`, whose body is the one given."""

    def run(body: Callable[[], Any]) -> int:
        monkeypatch.setitem(COMMANDS, "act", body)
        return exit_code_of(["act"])

    return run


def test_without_arguments_it_helps_and_succeeds(tmp_path: Path) -> None:
    """`callagent` alone prints help on standard output and ends with 0."""
    run = _callagent(folder=tmp_path)

    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("Usage: callagent")


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_help_of_a_command_has_examples_and_fits_a_terminal(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """Each command shows how it is used, and no line is broken at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    exit_code_of([name, "--help"])
    lines = capsys.readouterr().out.splitlines()

    assert "  Examples:" in lines
    assert [line for line in lines if len(line) > 80] == []


def test_the_list_of_commands_cuts_no_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """What each command does fits beside its name at 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    exit_code_of(["--help"])
    _, commands = capsys.readouterr().out.split("Commands:")
    lines = commands.splitlines()

    assert [line for line in lines if line.endswith("...") or len(line) > 80] == []


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_the_same_however_it_is_asked_for(option: str, capsys: Capture) -> None:
    """`-h` and `--help` print what `callagent` alone prints."""
    assert exit_code_of([]) == 0
    alone = capsys.readouterr().out

    assert exit_code_of([option]) == 0
    assert capsys.readouterr().out.strip() == alone.strip()


def test_the_first_line_of_the_version_is_for_programs(capsys: Capture) -> None:
    """`--version` prints one line, name and version."""
    assert exit_code_of(["--version"]) == 0
    assert capsys.readouterr().out == f"callagent {__version__}\n"


@pytest.mark.usefixtures("_in_folder")
def test_a_verbose_version_tells_the_surroundings(capsys: Capture) -> None:
    """`--version -v` adds Python, the platform and which settings apply."""
    assert exit_code_of(["--version", "-v"]) == 0
    text = capsys.readouterr().out

    assert f"Python {sys.version_info.major}." in text
    assert "settings none: the sandbox applies" in text


def test_the_settings_file_that_applies_is_named(capsys: Capture, tmp_path: Path) -> None:
    """`--version -v` names the settings file in the current folder."""
    (tmp_path / "callagent.yaml").write_text("mode: sandbox\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        exit_code_of(["--version", "-v"])

    assert f"settings {tmp_path.resolve() / 'callagent.yaml'}" in capsys.readouterr().out


def test_the_topic_of_exit_codes_lists_them_all(capsys: Capture) -> None:
    """`help exit-codes` has a line for each code."""
    assert exit_code_of(["help", "exit-codes"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()[2:]]

    assert lines == [[str(int(code)), meaning] for code, meaning in MEANINGS.items()]


def test_the_topic_of_the_environment_lists_every_variable(capsys: Capture) -> None:
    """`help environment` has a line for each variable."""
    assert exit_code_of(["help", "environment"]) == 0
    text = capsys.readouterr().out

    assert [name for name in ENVIRONMENT if f"  {name} " not in text] == []


@pytest.mark.parametrize("name", list(COMMANDS))
def test_help_on_a_command_is_its_own_help(name: str, capsys: Capture) -> None:
    """`help NAME` prints what `NAME --help` prints, and that names the command."""
    assert exit_code_of(["help", name]) == 0
    topic = capsys.readouterr().out
    assert exit_code_of([name, "--help"]) == 0

    assert capsys.readouterr().out.strip() == topic.strip()
    assert topic.startswith(f"Usage: callagent {name}")


def test_help_without_a_topic_is_the_program_s(capsys: Capture) -> None:
    """`callagent help` prints the program's own help."""
    assert exit_code_of(["help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: callagent [OPTIONS] COMMAND")


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["hepl"], "no command `hepl`", "did you mean `help`?"),
        (["xyzzy"], "no command `xyzzy`", "list the commands: `callagent --help`"),
        (["help", "exit-cods"], "no help on `exit-cods`", "did you mean `exit-codes`?"),
        (["--versoin"], "no such option: --versoin", "did you mean `--version`?"),
        (["help", "a", "b"], "got unexpected extra argument(s) (b)", "see `callagent help --help`"),
    ],
)
def test_a_mistyped_word_is_answered_with_the_nearest(
    arguments: list[str], error: str, hint: str, capsys: Capture
) -> None:
    """Every usage error has an error line, a blank line, a hint, and ends with 2."""
    assert exit_code_of(arguments) == ExitCode.USAGE
    captured = capsys.readouterr()
    lines = captured.err.splitlines()

    assert captured.out == ""
    assert lines[0] == f"error: {error}"
    assert lines[1] == ""
    assert lines[2].startswith(f"hint: {hint}")


@pytest.mark.parametrize("kind", [ContactsError, StorageFull, CallAgentError])
def test_an_error_for_a_person_ends_with_its_own_code(
    kind: type[CallAgentError], act: Callable[[Callable[[], Any]], int], capsys: Capture
) -> None:
    """A `CallAgentError` becomes its two lines and its exit code, without a traceback."""

    def fail() -> NoReturn:
        raise kind("no file `x.csv`", hint="name a file that exists")

    assert act(fail) == kind.exit_code
    assert capsys.readouterr().err == "error: no file `x.csv`\n\nhint: name a file that exists\n"


def test_an_error_without_a_hint_is_one_line(
    act: Callable[[Callable[[], Any]], int], capsys: Capture
) -> None:
    """Without a hint there is no blank line either."""

    def fail() -> NoReturn:
        raise ContactsError("the file is empty")

    act(fail)

    assert capsys.readouterr().err == "error: the file is empty\n"


def test_foreign_text_in_an_error_cannot_steer_the_terminal(
    act: Callable[[Callable[[], Any]], int], capsys: Capture
) -> None:
    """Control characters of a message are escaped; its line ends stay."""

    def fail() -> NoReturn:
        raise ContactsError("line 3: `\x1b[2J`\nline 4: `\r`")

    act(fail)

    assert capsys.readouterr().err == "error: line 3: `\\x1b[2J`\nline 4: `\\r`\n"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (lambda: None, ExitCode.DONE),
        (lambda: ExitCode.STOPPED, ExitCode.STOPPED),
        (lambda: "text", ExitCode.DONE),
    ],
)
def test_a_command_may_return_its_exit_code(
    body: Callable[[], Any], expected: ExitCode, act: Callable[[Callable[[], Any]], int]
) -> None:
    """An integer is the exit code; anything else means done."""
    assert act(body) == expected


def test_a_command_may_raise_its_exit_code(act: Callable[[Callable[[], Any]], int]) -> None:
    """`typer.Exit(code)` ends the process with the code."""

    def end() -> NoReturn:
        raise typer.Exit(ExitCode.CREDENTIALS)

    assert act(end) == ExitCode.CREDENTIALS


@pytest.mark.parametrize("kind", [KeyboardInterrupt, typer.Abort])
def test_an_interrupt_ends_with_130(
    kind: type[BaseException], act: Callable[[Callable[[], Any]], int]
) -> None:
    """Ctrl-C, also at a question, ends with 130."""

    def interrupt() -> NoReturn:
        raise kind

    assert act(interrupt) == ExitCode.INTERRUPTED


def test_a_crash_is_one_line_and_a_report(
    act: Callable[[Callable[[], Any]], int], capsys: Capture
) -> None:
    """An unknown exception ends with 70 and names the file where its traceback is."""

    def crash() -> NoReturn:
        raise ZeroDivisionError("at the seams")

    assert act(crash) == ExitCode.INTERNAL
    lines = capsys.readouterr().err.splitlines()
    (report,) = Path(".callagent").glob("crash-*.txt")

    assert lines == [
        f"error: internal error (ZeroDivisionError); the report without secrets is in `{report}`"
    ]
    assert "ZeroDivisionError: at the seams" in report.read_text(encoding="utf-8")
    assert report.stat().st_mode & 0o077 == 0


def test_a_crash_that_cannot_be_reported_still_ends_well(
    act: Callable[[Callable[[], Any]], int], capsys: Capture
) -> None:
    """When the report cannot be written, the one line says why."""
    Path(".callagent").write_text("a file where the folder should be")

    def crash() -> NoReturn:
        raise ZeroDivisionError

    assert act(crash) == ExitCode.INTERNAL
    assert capsys.readouterr().err.startswith("error: internal error (ZeroDivisionError); no crash")


def test_a_full_disk_behind_standard_output_is_told(tmp_path: Path) -> None:
    """What could not be printed is an error of its own, and the exit code is not 0."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("w", encoding="utf-8") as device:
        run = _callagent("--version", folder=tmp_path, output=device.fileno())

    assert run.returncode == ExitCode.USAGE
    assert run.stderr.startswith("error: cannot write to standard output: No space left on device")


def test_a_reader_that_went_away_is_no_error(tmp_path: Path) -> None:
    """A closed pipe ends the printing silently and with 0."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        run = _callagent("help", "exit-codes", folder=tmp_path, output=writing)
    finally:
        os.close(writing)

    assert (run.returncode, run.stderr) == (0, "")


def test_the_frame_has_every_command_of_the_table() -> None:
    """The program's help lists the table's commands in its order."""
    listed = [command.name for command in app.build_app().registered_commands]

    assert listed == list(COMMANDS)
