"""No secret and no full phone number reaches the log."""

from callagent_cli.simulation.judge.evidence import Broken, Evidence, Sight, Watcher


class NoSecretInLog(Watcher):
    """None of the world's keys, tokens and phone numbers stands in the log."""

    def finish(self, evidence: Evidence) -> Broken | None:
        """Return the first line that shows one; the line itself is not shown again."""
        log = evidence.log
        if not log.leak:
            return None
        return Broken(text=log.leak, sight=Sight(0.0, log.leak_line, None))
