"""What a scenario must make sense of before it runs, beyond the types of its keys."""

from collections.abc import Iterator
from typing import Final

from callagent_cli.calls.windows import check_window
from callagent_cli.durations import duration_text
from callagent_cli.settings import Settings
from callagent_cli.settings_file import unusable
from callagent_cli.simulation.scenario.check_expect import expectation_problems
from callagent_cli.simulation.scenario.fault_kind import fault_problems
from callagent_cli.simulation.scenario.format import (
    Distribution,
    LatencySpec,
    People,
    Phase,
    Scenario,
)
from callagent_cli.simulation.scenario.words import OPERATIONS, targets
from callagent_cli.yaml_file import YamlFile
from callagent_cli.yaml_reader import nearest

Found = tuple[str, str]
"""A dotted key and what is wrong there."""

_WEIGHTS: Final = ("answered", "no_answer", "busy", "voicemail", "declined", "failed")
_SHARES: Final = (*_WEIGHTS, "opts_out")
_DURATIONS: Final = tuple(name for name in People.__struct_fields__ if name not in _SHARES)


def scenario_problems(file: YamlFile[Scenario]) -> list[Found]:
    """Return everything that is wrong with a scenario beyond the types of its keys."""
    scenario = file.value
    return [
        *_name_problems(file),
        *_settings_problems(file),
        *_service_problems(scenario),
        *_people_problems(scenario.people),
        *_timeline_problems(scenario),
        *expectation_problems(scenario),
    ]


def _name_problems(file: YamlFile[Scenario]) -> Iterator[Found]:
    name, stem = file.value.name, file.path.stem
    if name != stem:
        yield "name", f"`name` is `{name}`, but the file is called `{stem}`"


def _settings_problems(file: YamlFile[Scenario]) -> Iterator[Found]:
    written = file.plain.get("settings", {})
    if file.value.settings.mode != "sandbox":
        yield "settings.mode", "`settings.mode` must be `sandbox`: a simulation calls nobody"
    if "lanes" in written:
        yield "settings.lanes", "`settings.lanes` does not count here; set `campaign.lanes`"
    for key, text in unworkable(file.value.settings):
        yield f"settings.{key}", f"`settings.{key}` {text}"


def unworkable(settings: Settings) -> Iterator[Found]:
    """Yield the settings with which no worker could begin: their keys, and what is wrong."""
    yield from unusable(settings)
    window = settings.dialing.window
    if window is not None:
        try:
            check_window(window)
        except ValueError as error:
            yield "dialing.window", f"is never open: {error}"


def _service_problems(scenario: Scenario) -> Iterator[Found]:
    for service, operations in OPERATIONS.items():
        twin = getattr(scenario.services, service)
        key = f"services.{service}"
        yield from latency_problems(f"{key}.latency", twin.latency)
        for operation, latency in twin.operations.items():
            here = f"{key}.operations.{operation}"
            yield from latency_problems(here, latency)
            if operation not in operations:
                close = nearest(operation, operations)
                yield here, f"`{service}` has no operation `{operation}`{close}"


def latency_problems(key: str, latency: LatencySpec | None) -> Iterator[Found]:
    """Yield what is wrong with a latency."""
    if not isinstance(latency, Distribution):
        return
    shapes = (latency.uniform, latency.normal, latency.lognormal)
    if sum(shape is not None for shape in shapes) != 1:
        yield key, f"`{key}` must be exactly one of uniform, normal, lognormal"
    if latency.uniform is not None and latency.uniform[0] > latency.uniform[1]:
        yield key, f"`{key}`: the first bound of `uniform` is larger than the second"
    if latency.lognormal is not None and latency.lognormal.p99 < latency.lognormal.p50:
        yield key, f"`{key}`: `p99` is smaller than `p50`"


def _people_problems(people: People) -> Iterator[Found]:
    if not any(getattr(people, weight) for weight in _WEIGHTS):
        yield "people", "all weights of `people` are 0: nobody could do anything"
    for name in _DURATIONS:
        value = getattr(people, name)
        if isinstance(value, list) and value[0] > value[1]:
            yield f"people.{name}", f"`people.{name}`: the first bound is larger than the second"


def _timeline_problems(scenario: Scenario) -> Iterator[Found]:
    seen: set[str] = set()
    for index, phase in enumerate(scenario.timeline):
        key = f"timeline[{index}]"
        if phase.name in seen:
            yield f"{key}.name", f"there are two phases called `{phase.name}`"
        seen.add(phase.name)
        yield from _time_problems(phase, key, scenario.until.at_most)
        if phase.do is not None:
            yield from _action_problems(phase, key)
        else:
            yield from _fault_phase_problems(phase, key)


def _time_problems(phase: Phase, key: str, at_most: float) -> Iterator[Found]:
    if phase.for_ is not None and phase.until is not None:
        yield f"{key}.until", f"phase `{phase.name}` has both `for` and `until`; one is enough"
    elif phase.ends_at <= phase.at:
        start, end = duration_text(phase.at), duration_text(phase.ends_at)
        text = f"phase `{phase.name}` ends ({end}) before it starts ({start})"
        yield f"{key}.until", text
    if phase.at >= at_most:
        yield f"{key}.at", f"phase `{phase.name}` begins after `until.at_most`: it never happens"


def _action_problems(phase: Phase, key: str) -> Iterator[Found]:
    misplaced = {
        "fault": phase.fault is not None,
        "target": bool(phase.target),
        "flap": phase.flap is not None,
        "for": phase.for_ is not None,
        "until": phase.until is not None,
        "restart_after": phase.do == "clock_step" and phase.restart_after is not None,
        "by": phase.do != "clock_step" and phase.by is not None,
    }
    for name, wrong in misplaced.items():
        if wrong:
            yield f"{key}.{name}", f"`{name}` does not go with `do: {phase.do}`"
    if phase.do == "clock_step" and not phase.by:
        yield key, f"phase `{phase.name}` needs `by`, such as `by: 1h` or `by: -30s`"


def _fault_phase_problems(phase: Phase, key: str) -> Iterator[Found]:
    if phase.fault is None:
        yield key, f"phase `{phase.name}` needs a `fault` or a `do`"
        return
    if not phase.target:
        yield key, f"phase `{phase.name}` needs a `target`, such as `elevenlabs.dial` or `*`"
    elif phase.target not in targets():
        close = nearest(phase.target, targets())
        yield f"{key}.target", f"there is no service or operation `{phase.target}`{close}"
    for name in ("restart_after", "by"):
        if getattr(phase, name) is not None:
            yield f"{key}.{name}", f"`{name}` goes with `do`, not with a fault"
    yield from latency_problems(f"{key}.fault.latency", phase.fault.latency)
    for name, text in fault_problems(phase.fault):
        here = f"{key}.fault.{name}" if name else f"{key}.fault"
        yield here, f"`{name or 'fault'}` of phase `{phase.name}` {text}"
