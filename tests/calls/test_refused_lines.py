"""What a refused dial says of the person's line."""

import pytest

from callagent_cli.calls.evidence import Result, result_of_refusal
from callagent_cli.errors import InvalidPayload, ServiceUnavailable
from callagent_cli.services.elevenlabs_refusals import refused


@pytest.mark.parametrize(
    ("sentence", "result"),
    [
        ("INVITE failed: sip status: 486: Busy Here (SIP 486)", Result.BUSY),
        ("INVITE failed: sip status: 600: Busy Everywhere (SIP 600)", Result.BUSY),
        ("INVITE failed: sip status: 480: Temporarily Unavailable (SIP 480)", Result.NO_ANSWER),
        ("sip request timed out", Result.NO_ANSWER),
        ("the line is busy", Result.BUSY),
        ("no answer", Result.NO_ANSWER),
        ("INVITE failed: sip status: 603: Decline (SIP 603)", Result.DECLINED),
        ("the call was declined", Result.DECLINED),
    ],
)
def test_a_refusal_about_the_line_is_personal_and_has_a_result(
    sentence: str, result: Result
) -> None:
    """It is no failed call: the dial rules decide."""
    verdict, code = refused(sentence)

    assert (verdict.kind, verdict.personal) == (InvalidPayload, True)
    assert result_of_refusal(code) is result


@pytest.mark.parametrize(
    "sentence",
    [
        "The phone number you are attempting to call, 123, is not valid.",
        "not authorized to call this country",
        "INVITE failed: sip status: 404: Not Found (SIP 404)",
        "HTTP 400 error: Unable to create record",
        "your card was declined",
        "something else",
        "the system is busy",
        "Server busy, try again",
        "network is busy",
        "all circuits are busy now",
        "we are too busy",
        "",
    ],
)
def test_any_other_refusal_is_not_personal(sentence: str) -> None:
    """It fails the call, or isolates the service when it comes from five contacts in a row."""
    verdict, code = refused(sentence)

    assert not verdict.personal
    assert result_of_refusal(code) is None


@pytest.mark.parametrize(
    "sentence", ["the system is busy", "Server busy", "network busy", "all lines are busy"]
)
def test_a_provider_that_is_busy_itself_is_unavailable(sentence: str) -> None:
    """That is tried again, and uses up no dial of the person."""
    verdict, _ = refused(sentence)

    assert verdict.kind is ServiceUnavailable
