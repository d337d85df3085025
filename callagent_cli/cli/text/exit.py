"""What a process ends with, and what that means."""

from typing import Final

from callagent_cli.errors import ExitCode

MEANINGS: Final[dict[ExitCode, str]] = {
    ExitCode.DONE: "done: every call reached an end, or every check of the scenario held",
    ExitCode.FAILED: "finished, but calls failed or wait for review, or a check did not hold",
    ExitCode.USAGE: "usage: a flag, file, setting, scenario or database cannot be used",
    ExitCode.STOPPED: "stopped while a service or the disk is not usable; can be resumed",
    ExitCode.CREDENTIALS: "only a person's key or account can help: missing, refused or no credit",
    ExitCode.LIMIT: "stopped at a limit",
    ExitCode.INTERNAL: "internal error; a crash report is in `.callagent/`",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C), after draining; a second one stops at once",
    ExitCode.TERMINATED: "terminated (SIGTERM), after draining; a second one stops at once",
}
"""One line for each exit code; the README and `callagent help exit-codes` say the same."""
