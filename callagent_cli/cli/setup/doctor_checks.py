"""The checks of `doctor` that need no network: Python, settings, credentials, files, disk."""

import importlib.util
import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

import msgspec

from callagent_cli.cli.contacts.suppressions import suppressions_file
from callagent_cli.cli.place.dotenv import DOTENV
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.cli.run.live_checks import require_credentials
from callagent_cli.cli.run.trace_export import VARIABLE
from callagent_cli.errors import CredentialsMissing, SettingsError, StoreError
from callagent_cli.settings_file import SETTINGS_FILE
from callagent_cli.store.examination import examine
from callagent_cli.store.failures import is_there
from callagent_cli.store.lock import holder

FREE_BYTES_MIN: Final = 500_000_000
"""A million calls and their journal take about this much."""

_PACKAGES: Final[dict[str, tuple[str, ...]]] = {
    "apprise": ("apprise",),
    "otel": ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"),
    "metrics": ("prometheus_client",),
}
"""What each extra brings."""

_FIX_OF_FOLDER: Final = "make it a folder that you may write to"
_FIX_OF_SUPPRESSIONS: Final = "put a copy back: it says who must never be called"
_OLDEST: Final = (3, 11)
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO

Status = Literal["ok", "warning", "failed"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at; `fix` says what to do when it is not ok."""

    name: str
    status: Status
    text: str
    fix: str = ""


def local_checks(
    place: Workplace | None, environ: Mapping[str, str], *, config: Path | None = None
) -> list[Check]:
    """Return the checks of this machine; without a workplace only those that need none."""
    checks = [_python()]
    if place is None:
        return checks
    checks += [_settings(place, config), _credentials(place, environ)]
    checks += _extras(place, environ)
    checks += [_database(place), _writable(place.logs_dir, "logs")]
    checks += [*_private(place), _disk(place.state_dir), _worker(place)]
    return checks


def _python() -> Check:
    version = platform.python_version()
    if sys.version_info[:2] < _OLDEST:
        return Check(name="python", status="failed", text=version, fix="install 3.11 or later")
    return Check(name="python", status="ok", text=version)


def _settings(place: Workplace, config: Path | None) -> Check:
    file = config or (SETTINGS_FILE if SETTINGS_FILE.exists() else None)
    where = str(file) if file else "the defaults"
    text = f"{where}, mode {place.settings.mode}"
    return Check(name="settings", status="ok", text=text)


def _credentials(place: Workplace, environ: Mapping[str, str]) -> Check:
    if place.sandbox:
        return Check(name="credentials", status="ok", text="the sandbox needs none")
    try:
        require_credentials(place.settings, environ)
    except (CredentialsMissing, SettingsError) as error:
        return Check(name="credentials", status="failed", text=error.message, fix=error.hint)
    return Check(name="credentials", status="ok", text="all are given")


def _extras(place: Workplace, environ: Mapping[str, str]) -> Iterator[Check]:
    """Yield the extras that are missing; only a flag of `run` says whether metrics are wanted."""
    wanted = {
        "apprise": place.settings.alerts.apprise is not None,
        "otel": bool(environ.get(VARIABLE)),
        "metrics": False,
    }
    for name, needed in wanted.items():
        if all(_is_installed(package) for package in _PACKAGES[name]):
            continue
        fix = f"pip install 'callagent[{name}]'"
        if needed:
            yield Check(name=name, status="failed", text="is set but not installed", fix=fix)
        elif name == "metrics":
            text = "not installed; `run --metrics-port` needs it"
            yield Check(name=name, status="ok", text=text, fix=fix)


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # Not even what it is a part of.
        return False


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest around it that there is; one that may not be asked is."""
    for each in (folder, *folder.resolve().parents):
        try:
            if each.exists():
                return each
        except PermissionError:
            return each
        except OSError:  # A name longer than any file has.
            continue
    return Path("/")


def _writable(folder: Path, name: str) -> Check:
    there = _nearest(folder)
    if _is_folder(there) and os.access(there, os.W_OK | os.X_OK):
        return Check(name=name, status="ok", text=f"`{folder}` can be written")
    text = f"`{folder}` cannot be written"
    return Check(name=name, status="failed", text=text, fix=_FIX_OF_FOLDER)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # Nobody who may not ask may write to it.
        return False


def _database(place: Workplace) -> Check:
    """Read what is there to its end; a database that was never made is fine."""
    folder = _writable(place.state_dir, "database")
    if folder.status != "ok":
        return folder
    for path, ours in ((place.database, True), (suppressions_file(place), False)):
        try:
            if is_there(path):
                examine(path, ours=ours)
        except StoreError as error:
            fix = error.hint if ours else _FIX_OF_SUPPRESSIONS
            return Check(name="database", status="failed", text=error.message, fix=fix)
    return folder


def _private(place: Workplace) -> Iterator[Check]:
    """Yield the files with secrets or people in them that others may read."""
    for path in (place.database, DOTENV):
        try:
            mode = path.stat().st_mode
        except OSError:  # There is none, or not even its owner gets to it.
            continue
        if stat.S_ISREG(mode) and mode & _OTHERS:
            fix = f"chmod 600 {path}"
            yield Check(name="privacy", status="warning", text=f"others may read `{path}`", fix=fix)


def _disk(folder: Path) -> Check:
    try:
        free = shutil.disk_usage(_nearest(folder)).free
    except OSError as error:
        text = f"cannot be asked for its free room: {error.strerror or error}"
        return Check(name="disk", status="warning", text=text, fix=_FIX_OF_FOLDER)
    text = f"{free / 1e9:.1f} GB free"
    if free < FREE_BYTES_MIN:
        return Check(name="disk", status="warning", text=text, fix="make room: a run needs some")
    return Check(name="disk", status="ok", text=text)


def _worker(place: Workplace) -> Check:
    try:
        held = holder(place.lock)
    except StoreError as error:
        text = f"whether one is running cannot be seen: {error.message}"
        return Check(name="worker", status="failed", text=text, fix=error.hint)
    if held is None:
        return Check(name="worker", status="ok", text="none is running")
    who = f"pid {held.pid} on {held.host}"
    if held.alive:
        return Check(name="worker", status="ok", text=f"{who} is running")
    fix = "start the run again: every call goes on where it stood"
    return Check(name="worker", status="warning", text=f"{who} was lost", fix=fix)
