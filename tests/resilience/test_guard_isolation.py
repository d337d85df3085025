"""What the Guard isolates, for whom, and that nobody pays for it with an attempt."""

import pytest
from resilience_doubles import (
    DIAL,
    FOLLOW,
    Service,
    Stage,
    caught,
    down,
    no_credit,
    now,
    refused,
    settled,
    wrong_key,
)

from callagent_cli.errors import CircuitOpen, InvalidPayload, Misconfigured, ServiceError
from callagent_cli.events import BreakerChanged
from callagent_cli.resilience.work import Work
from callagent_cli.simulation.virtual.run import run_virtual


@pytest.mark.parametrize(
    ("answer", "owner"),
    [
        (wrong_key(), "unauthorized"),
        (no_credit(), "quota"),
        (Misconfigured("agent_not_found", status=404), "misconfigured"),
    ],
)
def test_one_answer_about_key_credit_or_settings_isolates_at_once(
    answer: ServiceError, owner: str
) -> None:
    """The call gets the error itself, without a retry and with its attempts untouched."""

    async def main() -> None:
        stage, work = Stage(), Work()
        service = Service(default=answer)
        with caught(ServiceError) as errors:
            await stage.guard.run(DIAL, service, work)
        assert errors[0] is answer
        assert (stage.state, stage.breaker.owner) == ("isolated", owner)
        assert work.attempts_used == 0
        with caught(CircuitOpen):
            await stage.guard.run(FOLLOW, service, work)
        assert len(service.asked_s) == 1
        assert stage.events(BreakerChanged)[0].owner == owner

    run_virtual(main())


async def refuse(stage: Stage, contact: str, code: str = "bad_number") -> None:
    """Let one contact be refused."""
    with caught(InvalidPayload):
        await stage.guard.run(DIAL, Service(refused(code)), Work(contact))


def test_five_contacts_refused_with_one_code_are_a_wrong_setting() -> None:
    """The fifth isolates the service, and names the code."""

    async def main() -> None:
        stage = Stage()
        for number in range(4):
            await refuse(stage, f"call_{number}")
        assert stage.state == "closed"
        await refuse(stage, "call_4")
        assert (stage.state, stage.breaker.owner) == ("isolated", "misconfigured")
        assert "bad_number" in stage.breaker.reason
        assert stage.breaker.failed_operations == {"voice.dial"}

    run_virtual(main())


def test_a_refusal_without_a_code_goes_by_its_status() -> None:
    """Five times 422 without any code is the same story."""

    async def main() -> None:
        stage = Stage()
        for number in range(5):
            await refuse(stage, f"call_{number}", code="")
        assert "422" in stage.breaker.reason

    run_virtual(main())


def test_one_contact_refused_five_times_is_one_contact() -> None:
    """Only different contacts make a streak."""

    async def main() -> None:
        stage = Stage()
        for _ in range(9):
            await refuse(stage, "call_1")
        assert stage.state == "closed"

    run_virtual(main())


def test_a_success_of_the_same_operation_ends_the_streak() -> None:
    """Dialing that works for one contact shows that the settings are right."""

    async def main() -> None:
        stage = Stage()
        for number in range(4):
            await refuse(stage, f"call_{number}")
        await stage.guard.run(DIAL, Service(), Work("call_9"))
        for number in range(4):
            await refuse(stage, f"call_{number}")
        assert stage.state == "closed"

    run_virtual(main())


def test_a_success_of_another_operation_does_not() -> None:
    """Calls begun earlier are followed well while every dial is refused."""

    async def main() -> None:
        stage = Stage()
        for number in range(5):
            await refuse(stage, f"call_{number}")
            if number < 4:
                await stage.guard.run(FOLLOW, Service(), Work("call_9"))
        assert stage.state == "isolated"

    run_virtual(main())


def test_after_a_reset_the_count_starts_over() -> None:
    """A person says that it is repaired: the next refused contact is the first one."""

    async def main() -> None:
        stage = Stage()
        for number in range(5):
            await refuse(stage, f"call_{number}")
        stage.breaker.reset("by hand")
        for number in range(5, 9):
            await refuse(stage, f"call_{number}")
        assert stage.state == "closed"

    run_virtual(main())


def test_an_isolation_wakes_those_in_backoff() -> None:
    """Nobody sleeps on for a service that only a person can bring back."""

    async def main() -> None:
        stage = Stage()
        service = Service(down())
        with caught(CircuitOpen) as errors:
            await stage.guard.run(
                DIAL, _then(service, lambda: stage.breaker.isolate("operator", "stop")), Work()
            )
        assert errors[0].state == "isolated"
        assert now() == 0.0

    run_virtual(main())


def test_credit_is_tried_after_five_minutes() -> None:
    """The timer half-opens it; a trial that still finds none uses no attempt."""

    async def main() -> None:
        stage, work = Stage(), Work()
        service = Service(default=no_credit())
        with caught(ServiceError):
            await stage.guard.run(DIAL, service, work)
        await settled(300.0)
        assert stage.state == "half_open"
        with caught(ServiceError):
            await stage.guard.run(DIAL, service, work)
        assert stage.breaker.owner == "quota"
        assert stage.breaker.retry_after_s == pytest.approx(600.0)
        assert work.attempts_used == 0

    run_virtual(main())


def _then(service: Service, act: object) -> Service:
    """Return a service that does something in the moment it fails."""

    async def answer() -> None:
        assert callable(act)
        act()
        raise down()

    service.answers[:] = [answer]
    return service
