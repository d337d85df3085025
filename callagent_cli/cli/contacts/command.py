"""What `callagent contacts` does: check a file, keep the list of people who are not called."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from callagent_cli.cli.contacts.importer import REJECTED_MAX, Importer, RejectsFile
from callagent_cli.cli.contacts.input import STDIN, campaign_name, contacts_input
from callagent_cli.cli.contacts.progress import reading_progress
from callagent_cli.cli.contacts.reading import ReadingFlags, read_options
from callagent_cli.cli.contacts.report import import_lines
from callagent_cli.cli.contacts.suppress import Suppressed, numbers_of, suppress
from callagent_cli.cli.contacts.suppressions import known_test, suppression_list, suppressions_file
from callagent_cli.cli.contacts.unsuppress import unsuppress
from callagent_cli.cli.place.workplace import Workplace, workplace
from callagent_cli.cli.text import diagnostics
from callagent_cli.cli.text.output import standard_output
from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.clock import utc_text
from callagent_cli.contacts.options import ReadOptions
from callagent_cli.errors import ContactsError, ExitCode, UsageError
from callagent_cli.masking import mask
from callagent_cli.store.failures import is_there
from callagent_cli.store.suppressions import SANDBOX, Removal, Suppression

_PROBLEMS_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactsOptions:
    """The command line of `contacts`, as typed."""

    what: tuple[str, ...]
    config: Path | None
    json: bool
    file: Path | None
    reason: str
    remove: bool
    even_opt_outs: bool
    reading: ReadingFlags


def run_contacts(action: str, options: ContactsOptions) -> int:
    """Do one of the actions; raises `CallAgentError`s."""
    do = _ACTIONS.get(action)
    if do is None:
        hint = hint_for(action, _ACTIONS, otherwise=f"it can {', '.join(_ACTIONS)}")
        raise UsageError(f"`callagent contacts` cannot `{action}`", hint=hint)
    if action != "suppress" and (options.file or options.reason or options.remove):
        raise UsageError(
            f"`contacts {action}` takes no --file, no --reason and no --remove",
            hint="they belong to `callagent contacts suppress`",
        )
    if options.even_opt_outs and not options.remove:
        raise UsageError("`--even-opt-outs` says nothing alone", hint="it belongs to --remove")
    return do(workplace(options.config, os.environ), options)


def _check(place: Workplace, options: ContactsOptions) -> int:
    if len(options.what) != 1:
        raise UsageError("one file to check", hint="`callagent contacts check FILE`")
    contacts = Path(options.what[0])
    campaign = campaign_name(contacts, "")
    rejects = RejectsFile(place.logs_dir / f"{campaign}-rejects.csv")
    wanted = read_options(
        options.reading, region=place.settings.dialing.region, sandbox=place.sandbox
    )
    with contacts_input(contacts) as path, known_test(place) as suppressed:
        importer = Importer(
            path,
            wanted,
            campaign,
            source="standard input" if contacts == STDIN else str(contacts),
            allow_rejects=True,
        )
        importer.report.rejects = rejects
        importer.suppressed = suppressed
        with reading_progress(importer.report):
            importer.check(zones=place.keeps_windows)
    report = importer.report
    usable = report.rejected_ratio <= REJECTED_MAX
    if options.json:
        about = {"schema": 1, "mode": place.settings.mode, "usable": usable}
        kept = str(rejects.path) if rejects.rows else ""
        standard_output().document({**about, **report.to_dict(), "rejects_file": kept})
    else:
        for line in import_lines(place, importer):
            standard_output().line(line)
    if not usable:
        message = f"{report.rejected_rows} of {report.rows} rows cannot be used"
        raise ContactsError(message, hint="mend the file; `run` starts with --allow-rejects only")
    return int(ExitCode.DONE)


def _suppress(place: Workplace, options: ContactsOptions) -> int:
    if bool(options.what) == (options.file is not None):
        raise UsageError(
            "numbers to suppress, or a file of them",
            hint="`callagent contacts suppress NUMBER…`, or `--file FILE`",
        )
    flags = options.reading
    wanted = read_options(flags, region=place.settings.dialing.region, sandbox=True)
    if options.remove:
        return _unsuppress(place, options, wanted)
    done = suppress(
        place,
        numbers=options.what,
        file=options.file,
        options=wanted,
        reason=options.reason,
    )
    if options.json:
        standard_output().document({"schema": 1, **done.to_dict()})
    else:
        standard_output().line(done.text)
    for problem in done.shown:
        diagnostics.note(f"  {problem}")
    if done.unread:
        raise ContactsError(
            f"{done.unread} of the values cannot be read, and those numbers can still be called",
            hint="write them with + and the country code, or pass --region",
        )
    return int(ExitCode.DONE)


def _unsuppress(place: Workplace, options: ContactsOptions, wanted: ReadOptions) -> int:
    read = Suppressed()
    numbers = list(numbers_of(options.what, options.file, wanted, read))
    if read.unread:
        raise ContactsError(
            f"nothing was changed: {'; '.join(read.shown[:_PROBLEMS_SHOWN])}",
            hint="write the numbers with + and the country code, or pass --region",
        )
    done = unsuppress(place, numbers, why=options.reason, opt_outs=options.even_opt_outs)
    if options.json:
        standard_output().document({"schema": 1, **done.to_dict()})
    else:
        standard_output().line(done.text)
    for problem in done.problems:
        diagnostics.note(f"  {problem}")
    if not done.removed:
        raise ContactsError("nothing was changed", hint="`callagent contacts suppressed` lists")
    return int(ExitCode.DONE)


def _suppressed(place: Workplace, options: ContactsOptions) -> int:
    if options.what:
        raise UsageError("`contacts suppressed` takes no numbers", hint="it lists them all")
    entries: list[Suppression] = []
    removals: list[Removal] = []
    if is_there(suppressions_file(place)):
        with suppression_list(place) as known:
            entries, removals = known.entries(), known.removals()
    output = standard_output()
    if options.json:
        rows = [
            {
                "number": mask(entry.number),
                "reason": entry.reason,
                "scope": entry.scope,
                "added": utc_text(entry.added_utc_s),
                "opted_out": entry.heard,
            }
            for entry in entries
        ]
        taken = list(map(_removed, removals))
        output.document({"schema": 1, "count": len(rows), "suppressions": rows, "removed": taken})
        return int(ExitCode.DONE)
    for entry in entries:
        added = utc_text(entry.added_utc_s)[:19]
        output.line(f"{mask(entry.number)}  {added}Z  {entry.reason}{_where(entry.scope)}")
    for removal in removals:
        removed = utc_text(removal.removed_utc_s)[:19]
        number, by, why = mask(removal.suppression.number), removal.removed_by, removal.why
        output.line(f"{number}  {removed}Z  taken off the list by {by}: {why}")
    if not entries:
        output.line("nobody is suppressed: `callagent contacts suppress NUMBER`")
    return int(ExitCode.DONE)


def _removed(removal: Removal) -> dict[str, Any]:
    entry = removal.suppression
    return {
        "number": mask(entry.number),
        "reason": entry.reason,
        "scope": entry.scope,
        "added": utc_text(entry.added_utc_s),
        "opted_out": entry.heard,
        "removed": utc_text(removal.removed_utc_s),
        "by": removal.removed_by,
        "why": removal.why,
    }


def _where(scope: str) -> str:
    if scope == SANDBOX:
        return " (sandbox only)"
    return f" ({scope.replace(':', ' ', 1)} only)" if scope else ""


_ACTIONS: Final[dict[str, Callable[[Workplace, ContactsOptions], int]]] = {
    "check": _check,
    "suppress": _suppress,
    "suppressed": _suppressed,
}
