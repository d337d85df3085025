"""Five contacts refused in a row with one code: that is a wrong setting, not five people."""

from typing import Final

STREAK_TO_ISOLATE: Final = 5


class RejectionStreaks:
    """Notices when one code refuses contact after contact of one operation.

    A success of that operation ends its streak: take it out of `by_operation`, where each has its
    code and the contacts refused with it.
    """

    __slots__ = ("by_operation",)

    def __init__(self) -> None:
        self.by_operation: dict[str, tuple[str, set[str]]] = {}

    def rejected(self, operation: str, code: str, subject: str) -> bool:
        """Take note of a refusal; return whether it makes the streak complete."""
        known_code, subjects = self.by_operation.get(operation, ("", set()))
        if code != known_code:
            subjects = set()
        self.by_operation[operation] = (code, subjects)
        subjects.add(subject)
        return len(subjects) >= STREAK_TO_ISOLATE
