"""How long a provider takes to answer: distributions, drawn from a seed."""

import math
from collections.abc import Callable, Mapping
from random import Random

Draw = Callable[[Random], float]
"""Draws one latency in seconds."""

_Z_OF_P99 = 2.3263478740408408


def constant(delay_s: float) -> Draw:
    """Draw always the same."""
    return lambda _random: delay_s


def uniform(low_s: float, high_s: float) -> Draw:
    """Draw anything between two bounds, alike likely."""
    return lambda random: random.uniform(low_s, high_s)


def normal(mean_s: float, deviation_s: float) -> Draw:
    """Draw around a mean, never below zero."""
    return lambda random: max(0.0, random.gauss(mean_s, deviation_s))


def lognormal(p50_s: float, p99_s: float) -> Draw:
    """Draw the usual shape of network latency, given by its median and its 99th percentile."""
    mu = math.log(p50_s)
    sigma = (math.log(p99_s) - mu) / _Z_OF_P99
    return lambda random: random.lognormvariate(mu, sigma)


INSTANT = constant(0.0)


class Latency:
    """The latencies of one service: a distribution for each operation, and one for the rest."""

    def __init__(
        self,
        seed: int | str = 0,
        default: Draw = INSTANT,
        *,
        operations: Mapping[str, Draw] | None = None,
    ) -> None:
        self._random = Random(f"latency:{seed}")
        self._default = default
        self._operations = dict(operations or {})

    def draw(self, operation: str) -> float:
        """Return the seconds that the next answer to an operation takes."""
        return self._operations.get(operation, self._default)(self._random)
