"""What `callagent alerts test`, `mute` and `unmute` do."""

import asyncio
import os
import time
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from callagent_cli.cli.alerts.learned import keep_learned, recall_learned
from callagent_cli.cli.alerts.mute_targets import require_muted, require_target
from callagent_cli.cli.place.living_worker import ask, not_yet
from callagent_cli.cli.place.operator import operator_name
from callagent_cli.cli.place.workplace import Workplace, workplace
from callagent_cli.cli.text.output import standard_output
from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.clock import system_clock, utc_text
from callagent_cli.durations import parse_duration
from callagent_cli.errors import ExitCode, ServiceError, UsageError
from callagent_cli.reporting.acknowledgement import ACKNOWLEDGING
from callagent_cli.reporting.alert import Alert, Channel, Selective
from callagent_cli.reporting.channels.mock import MockChannel
from callagent_cli.reporting.incidents.mutes import Mute, Mutes, mute_argument
from callagent_cli.reporting.real_doors import RealDoors
from callagent_cli.reporting.redaction import Redactor, readable_secrets_of
from callagent_cli.reporting.sinks import FileSink
from callagent_cli.reporting.wiring import ALERTS_FILE, CHANNELS, CLOSE_S
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.settings import Alerts
from callagent_cli.store.lock import WorkerLock
from callagent_cli.store.sqlite_store import SqliteStore

_LONGEST_S: Final = 365 * 86_400.0


def send_test(wanted: str, config: Path | None) -> int:
    """Send one alert on a channel, or on all, and say what came back; 1 when one failed."""
    place = workplace(config, os.environ)
    return asyncio.run(_send(place, wanted))


async def _send(place: Workplace, wanted: str) -> int:
    doors = RealDoors(http_for=lambda base_url: HttpxClient(base_url=base_url), environ=os.environ)
    real = doors.channels(_named(place.settings.alerts, wanted), system_clock())
    try:
        chosen = [channel for channel in real if _is_meant(channel, wanted)]
        if not chosen:
            return await _pretend(place, _pretended(wanted, real))
        redactor = Redactor(readable_secrets_of(place.settings, os.environ))
        failed = 0
        for channel in chosen:
            failed += await _try(place, channel, redactor)
        return int(ExitCode.FAILED if failed else ExitCode.DONE)
    finally:
        for channel in real:
            await channel.close()


def _named(alerts: Alerts, wanted: str) -> Alerts:
    """Return the settings of the named channel alone: what the others lack stops no test of it."""
    name = wanted.partition("-")[0]
    chosen = {each: getattr(alerts, each) for each in alerts.__struct_fields__ if each == name}
    return Alerts(**chosen) if isinstance(chosen.get(name), Struct) else alerts


def _is_meant(channel: Channel, wanted: str) -> bool:
    """Tell whether a channel is named, alone (`apprise-2`) or with its like (`apprise`)."""
    return wanted in {"", channel.name, channel.name.partition("-")[0]}


def _pretended(wanted: str, real: list[Channel]) -> list[str]:
    """Return the names of the channels that a mock stands in for."""
    if wanted and wanted not in CHANNELS:
        names = sorted({*CHANNELS, *(channel.name for channel in real)})
        hint = hint_for(wanted, names, otherwise=f"these are known: {', '.join(names)}")
        raise UsageError(f"no channel `{wanted}` is set", hint=hint)
    return [wanted] if wanted else list(CHANNELS)


async def _pretend(place: Workplace, names: list[str]) -> int:
    """Write the alert where a run writes those of channels that are not set."""
    path = place.logs_dir / ALERTS_FILE
    sink = FileSink(path)
    for name in names:
        await MockChannel(name, sink, system_clock()).deliver(_alert(place))
        text = f"✓ {name}: is not set, so it is pretended: the alert is in `{path}`"
        standard_output().line(place.title(text))
    await asyncio.to_thread(sink.close, CLOSE_S)
    return int(ExitCode.DONE)


async def _try(place: Workplace, channel: Channel, redactor: Redactor) -> bool:
    """Send on one channel; return whether it failed."""
    output = standard_output()
    over = _alert(place)
    if channel.name in ACKNOWLEDGING:
        # Only what belongs to an incident goes there, and only what begins can end.
        over = structs.replace(over, incident="TEST", thread=over.message)
    recall_learned(place, channel)
    try:
        if channel.name in ACKNOWLEDGING:
            begins = structs.replace(over, message=f"{over.message}_opened", status="open")
            await channel.deliver(begins)
        await channel.deliver(over)
    except ServiceError as error:
        return _failed(place, channel, redactor.text(error.message))
    if isinstance(channel, Selective) and channel.missed:
        return _failed(place, channel, redactor.text(channel.missed))
    advice = keep_learned(place, channel) or "look whether it arrived"
    output.line(place.title(f"✓ {channel.name}: took the alert; {advice}"))
    return False


def _failed(place: Workplace, channel: Channel, why: str) -> bool:
    standard_output().line(place.title(f"✗ {channel.name}: {why}"))
    return True


def _alert(place: Workplace) -> Alert:
    now_utc_s = time.time()
    title = place.title("this is a test of callagent's alerts")
    lines = (
        "What: somebody ran `callagent alerts test`",
        f"Since: {utc_text(now_utc_s)}",
        "Impact: none",
        "Done already: nothing",
        "To do: nothing",
        "Command: callagent status",
        "Incident: none",
    )
    return Alert(
        id="test",
        message=f"msg_test_{now_utc_s * 1000:.0f}",
        incident="",
        kind="update",
        severity="info",
        service="callagent",
        title=title,
        body="\n".join(lines),
        call="",
        raised_utc_s=now_utc_s,
        run="",
        campaign="",
        status="resolved",
    )


def mute(target: str, lasts: str, config: Path | None) -> int:
    """Mute an incident, a service or `all` for some time.

    Raises `UsageError` without an end or with one that is too far off, and for a target that no
    alert is about.
    """
    seconds = parse_duration(lasts) if lasts else None
    if not target or seconds is None or seconds <= 0:
        hint = "`callagent alerts mute elevenlabs --for 1h`"
        raise UsageError("a mute needs what to mute and how long", hint=hint)
    if seconds > _LONGEST_S:
        message = f"a mute of {lasts} would outlive whoever remembers it"
        raise UsageError(message, hint="a year, `--for 365d`, is the longest")
    until_utc_s = time.time() + seconds
    argument = mute_argument(target, until_utc_s)
    done = Mute(target=target, until_utc_s=round(until_utc_s), by=operator_name())
    text = f"{target} is muted until {utc_text(until_utc_s)[:19]}Z"
    return _wish("mute", argument, text, config=config, done=done)


def unmute(target: str, config: Path | None) -> int:
    """End a mute before its time; raises `UsageError` when there is none of the target."""
    target = target or "all"
    return _wish("unmute", target, f"{target} is not muted any more", config=config, done=None)


def _wish(name: str, argument: str, text: str, *, config: Path | None, done: Mute | None) -> int:
    place = workplace(config, os.environ)
    store = place.write_store()
    try:
        if done is None:
            require_muted(store, argument, time.time())
        else:
            require_target(place, store, done.target)
        answer = ask(place, store, name, argument)
        if answer is None:
            _directly(place, store, argument, done)
        elif not answer.obeyed:
            text = not_yet(answer, text)
    finally:
        store.close()
    standard_output().line(place.title(text))
    return int(ExitCode.DONE)


def _directly(place: Workplace, store: SqliteStore, target: str, done: Mute | None) -> None:
    """Write the mute into the store: no worker lives, and none may begin meanwhile."""
    lock = WorkerLock(place.lock)
    lock.acquire("alerts mute")
    try:
        mutes = Mutes(store)
        if done is None:
            mutes.lift(target)
        else:
            mutes.set(done)
        store.flush()
    finally:
        lock.release()
