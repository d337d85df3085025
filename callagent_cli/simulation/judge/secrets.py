"""No secret and no full phone number reaches the log."""

from callagent_cli.simulation.judge.evidence import Broken, Evidence


def no_secret_in_log(evidence: Evidence) -> Broken | None:
    """None of the world's keys, tokens and phone numbers stands in the log."""
    forbidden = [text.encode() for text in evidence.secrets if text]
    if not any(text in evidence.log for text in forbidden):
        return None
    for line, body in enumerate(evidence.log.splitlines(), 1):
        for text in forbidden:
            if text in body:
                return Broken(text=f"a secret or full number of {len(text)} characters", line=line)
    return Broken(text="a secret or a full number spans lines of the log")
