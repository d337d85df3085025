"""Random worlds: what goes wrong, when, and where the process is killed, all from one seed.

A world stays plausible, or it would report what is no bug: an answer that refuses for certain is
never `applied`, and the provider's list lags less than the proofs wait.
"""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

import msgspec

from callagent_cli.simulation.judge.verdict import INVARIANTS
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.words import OPERATIONS
from callagent_cli.simulation.worlds.world import Kill

Plain = dict[str, Any]

FAULTS_MAX: Final = 4
KILLS_MAX: Final = 2
_STATUSES: Final = (400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 503, 503, 504, 529)
_SERVER_ERRORS: Final = frozenset({500, 502, 503, 504, 529})
_AFTERMATHS: Final = 0.4
_OUTAGES: Final = 0.12
_LAG_S: Final = 20.0
_SHORT_LAG_S: Final = 2.0
"""Below the 3 s after which an absent call is proof that a 503 or 529 placed none."""

_STEPS: Final = (1, 4000)
_COMMITS: Final = (1, 250)


class RandomWorld(msgspec.Struct, frozen=True, kw_only=True):
    """A world as it would stand in a scenario file, and the kills, which no file can name."""

    seed: int
    plain: Plain
    kills: tuple[Kill, ...] = ()

    def scenario(self) -> Scenario:
        """Return the world as a scenario."""
        return msgspec.convert(self.plain, Scenario)


def random_world(seed: int) -> RandomWorld:
    """Return the world of a seed."""
    random = Random(f"explore:{seed}")
    phases = [_phase(random, number) for number in range(random.randint(0, FAULTS_MAX))]
    phases += [_aftermath(random, phase) for phase in phases[:1] if random.random() < _AFTERMATHS]
    lanes = random.randint(1, 4)
    if random.random() < _OUTAGES:
        # One lane, and a whole outage that hides what it did: the ladder ends with an open dial.
        lanes, applied = 1, random.choice((0.5, 1.0))
        outage = {"name": "outage", "at": _time(random, 0, 20), "for": _time(random, 60, 300)}
        fault = {"status": 503, "applied": applied}
        phases = [{**outage, "target": "elevenlabs", "may_miss": True, "fault": fault}, *phases]
    if random.random() < 0.1:  # noqa: PLR2004 — one world in ten.
        step = {"name": "step", "at": _time(random, 0, 200), "do": "clock_step"}
        phases.append(
            {**step, "may_miss": True, "by": random.choice((-3600.0, -30.0, 20.0, 3600.0))}
        )
    plain: Plain = {
        "callagent": "scenario/v1",
        "name": "explored",
        "title": f"Random world {seed}",
        "seed": seed,
        "campaign": {"contacts": random.randint(3, 12), "lanes": lanes},
        "settings": _settings(random),
        "services": _services(random, phases),
        "people": _people(random),
        "timeline": phases,
        "until": {"at_most": 30 * 3600.0},
        "expect": {"always": [name for name in INVARIANTS if name != "finished"]},
    }
    kills = tuple(_kill(random) for _ in range(random.choice((0, 0, 1, 1, KILLS_MAX))))
    return RandomWorld(seed=seed, plain=plain, kills=kills)


def _kill(random: Random) -> Kill:
    where = random.choice(("step", "before_commit", "after_commit"))
    low, high = _STEPS if where == "step" else _COMMITS
    # Early moments are as likely as late ones, which are many more.
    number = round(low * (high / low) ** random.random())
    rest_s = random.choice((0.0, _time(random, 0, 90)))
    return Kill(where=where, number=number, restart_after_s=rest_s)  # type: ignore[arg-type]


def _time(random: Random, low_s: float, high_s: float) -> float:
    return round(random.uniform(low_s, high_s), 1)


def _settings(random: Random) -> Plain:
    # Redials within minutes, and now and then fewer health checks: most of a day is waiting.
    settings: Plain = {
        "dialing": {"redial": {"no_answer_min": 2, "busy_min": 1, "voicemail_min": 3}}
    }
    every_s = random.choice((20.0, 40.0, 80.0))
    policy: Plain = {"health": {"interval_s": every_s, "stale_after_s": 3 * every_s}}
    if random.random() < 0.3:  # noqa: PLR2004 — nearly every third sleeps exactly.
        policy["retry"] = {"jitter": "none"}
    services: Plain = {name: {"policy": policy} for name in ("elevenlabs", "llm", "crm")}
    if random.random() < 0.25:  # noqa: PLR2004 — every fourth has a second model.
        provider = random.choice(("openai", "anthropic"))
        services["llm"]["fallback"] = {"provider": provider, "policy": policy}
    if random.random() < 0.2:  # noqa: PLR2004 — every fifth fails fast.
        services["elevenlabs"]["when_down"] = "fail"
    settings["services"] = services
    if random.random() < 0.5:  # noqa: PLR2004 — every second takes failed calls back by itself.
        settings["requeue_after_outage"] = True
    return settings


def _services(random: Random, phases: list[Plain]) -> Plain:
    lag_s = _SHORT_LAG_S if any(_hides_a_refusal(phase) for phase in phases) else _LAG_S
    voice = {"latency": _latency(random, 0.3), "list_lag": _time(random, 0, lag_s)}
    return {
        "elevenlabs": voice,
        "llm": {"latency": _latency(random, 1.0)},
        "crm": {"latency": _latency(random, 0.1)},
    }


def _hides_a_refusal(phase: Plain) -> bool:
    """Whether a phase answers that it refused, while it may have placed the call."""
    fault = phase.get("fault", {})
    return bool(fault.get("applied")) and fault.get("status") in {503, 529}


def _latency(random: Random, usual_s: float) -> float | Plain:
    if random.random() < 0.5:  # noqa: PLR2004 — every second is constant.
        return usual_s
    return {"lognormal": {"p50": usual_s, "p99": usual_s * 6}}


def _people(random: Random) -> Plain:
    people: Plain = {"ring": [1.0, 6.0], "talk": [2.0, 15.0], "processing": [0.5, 2.0]}
    if random.random() < 0.15:  # noqa: PLR2004 — most people simply answer.
        people |= {"no_answer": 0.2, "busy": 0.1, "voicemail": 0.1, "declined": 0.1, "failed": 0.1}
    return people


def _phase(random: Random, number: int) -> Plain:
    service = random.choice(("elevenlabs", "elevenlabs", "llm", "crm", "*"))
    operations = OPERATIONS.get(service, ())
    target = service
    if operations and random.random() < 0.6:  # noqa: PLR2004 — most strike one operation.
        target = f"{service}.{random.choice(operations)}"
    kind = random.choice(list(_KINDS))
    phase: Plain = {
        "name": f"{kind.replace('_', '-')}-{number}",
        "at": _time(random, 0, 120),
        "for": _time(random, 3, 300),
        "target": target,
        "may_miss": True,
        "fault": _KINDS[kind](random),
    }
    if random.random() < 0.3:  # noqa: PLR2004 — nearly every third strikes now and then.
        phase["probability"] = round(random.uniform(0.2, 0.9), 2)
    if random.random() < 0.15:  # noqa: PLR2004 — a few come and go.
        phase["flap"] = {"up": _time(random, 2, 40), "down": _time(random, 2, 40)}
    return phase


def _aftermath(random: Random, phase: Plain) -> Plain:
    """Return a weaker fault that follows another one: whoever tries again first meets it."""
    kind = random.choice(("rate_limit", "status", "latency", "quota"))
    fault = {"status": random.choice((404, 422, 429))} if kind == "status" else _KINDS[kind](random)
    return {
        "name": f"aftermath-{kind.replace('_', '-')}",
        "at": round(phase["at"] + phase["for"], 1),
        "for": _time(random, 20, 200),
        "target": phase["target"],
        "may_miss": True,
        "fault": fault,
    }


def _applied(random: Random) -> Plain:
    return {"applied": random.choice((0.3, 0.7, 1.0))} if random.random() < 0.5 else {}  # noqa: PLR2004 — every second.


def _status(random: Random) -> Plain:
    status = random.choice(_STATUSES)
    fault: Plain = {"status": status, "body": {"detail": "injected"}}
    if status in {429, 503} and random.random() < 0.5:  # noqa: PLR2004 — every second.
        fault["retry_after"] = _time(random, 1, 90)
    return fault | _applied(random) if status in _SERVER_ERRORS else fault


def _rate_limit(random: Random) -> Plain:
    told = random.choice(("auto", "none", 7.0))
    limit = {"rps": round(random.uniform(0.1, 2), 2), "burst": random.randint(1, 4)}
    return {"rate_limit": {**limit, "retry_after": told}}


_KINDS: Final[Mapping[str, Callable[[Random], Plain]]] = {
    "status": _status,
    "status_again": _status,
    "latency": lambda random: {"latency": {"uniform": [5.0, _time(random, 6, 60)]}},
    "hang": lambda random: {"hang": True, **_applied(random)},
    "refuse": lambda _: {"refuse": True},
    "blackhole": lambda _: {"blackhole": True},
    "dns": lambda _: {"dns": True},
    "reset": lambda random: {
        "reset": random.choice(("before", "mid_body")),
        **_applied(random),
    },
    "truncate": lambda random: {
        "truncate": random.choice(("length", "chunked")),
        **_applied(random),
    },
    "garbage": lambda random: {"garbage": True, **_applied(random)},
    "malformed": lambda random: {"malformed": True, **_applied(random)},
    "drip": lambda random: {"drip": {"bytes": random.randint(1, 64), "every": 1.0}},
    "rate_limit": _rate_limit,
    "quota": lambda random: {"quota": {"limit": random.randint(0, 8)}},
    "stale_keepalive": lambda _: {"stale_keepalive": True},
    "overloaded": lambda _: {"overloaded": True},
    "silent": lambda random: {"silent": True, **_applied(random)},
}
"""Each kind of fault with its details drawn by lot."""
