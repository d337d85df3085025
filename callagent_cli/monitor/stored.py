"""What the store knows of services and lanes, put into the words of the view."""

from callagent_cli.monitor.snapshot import BreakerSnapshot, CallSnapshot
from callagent_cli.monitor.view.calls import HOLDS_LANE, InFlight, Retry
from callagent_cli.monitor.view.services import ServiceView


def take_breaker(service: ServiceView, stored: BreakerSnapshot) -> None:
    """Replace what the store knows of a service's breaker, health and fallback."""
    service.breaker, service.since_utc_s = stored.state, stored.since_utc_s
    service.reason, service.owner = stored.reason, stored.owner
    service.open_until_utc_s = stored.open_until_utc_s
    service.next_check_utc_s = stored.next_check_utc_s or service.next_check_utc_s
    service.health = stored.health or service.health
    service.health_utc_s = stored.health_utc_s or service.health_utc_s
    service.degraded, service.degraded_reason = stored.degraded, stored.degraded_reason
    service.fallback = dict(stored.fallback)


def in_flight_of(stored: CallSnapshot) -> InFlight | None:
    """Return the lane of a call; none when it holds none."""
    if stored.state not in HOLDS_LANE:
        return None
    return InFlight(
        stored.call,
        stored.name,
        stored.number,
        stored.state,
        stored.step,
        stored.since_utc_s,
        stored.attempt,
        stored.of,
    )


def retry_of(stored: CallSnapshot) -> Retry | None:
    """Return the retry that a call in a lane waits for; none when it waits for none."""
    flight = in_flight_of(stored)
    if flight is None or stored.due_utc_s is None:
        return None
    return Retry(
        call=stored.call,
        name=stored.name,
        number=stored.number,
        service=flight.service,
        attempt=stored.attempt,
        of=stored.of,
        due_utc_s=stored.due_utc_s,
        reason="backoff",
        why=stored.reason,
    )
