"""Five contacts refused in a row with one code: that is a wrong setting, not five people."""

from typing import Final

STREAK_TO_ISOLATE: Final = 5


class RejectionStreak:
    """Notices when one code refuses contact after contact without a success between them.

    A success clears `subjects`, the contacts refused so far.
    """

    __slots__ = ("_code", "subjects")

    def __init__(self) -> None:
        self._code = ""
        self.subjects: list[str] = []

    def rejected(self, code: str, subject: str) -> bool:
        """Take note of a refusal; return whether it makes the streak complete."""
        if code != self._code:
            self._code = code
            self.subjects = []
        if subject not in self.subjects:
            self.subjects.append(subject)
        return len(self.subjects) >= STREAK_TO_ISOLATE
