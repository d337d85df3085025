"""How a scenario's latencies are drawn."""

from callagent_cli.simulation.scenario.format import Distribution, LatencySpec
from callagent_cli.simulation.twins.latency import Draw, constant, lognormal, normal, uniform


def drawer(latency: LatencySpec) -> Draw:
    """Return how a latency of a scenario is drawn."""
    if not isinstance(latency, Distribution):
        return constant(latency)
    if latency.uniform is not None:
        return uniform(latency.uniform[0], latency.uniform[1])
    if latency.normal is not None:
        return normal(latency.normal.mean, latency.normal.deviation)
    if latency.lognormal is not None:
        return lognormal(latency.lognormal.p50, latency.lognormal.p99)
    raise ValueError("a distribution without a shape was not checked")
