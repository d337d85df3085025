"""Words beside a number: labels, which say what it is, and words that forbid to call it."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from callagent_cli.contacts import headings

_PHONES: Final = (
    "tel|telefon|telephone|téléphone|telefono|teléfono|phone|fon|mobile|mobil|mobiltelefon|móvil"
    "|movil|cell|cellular|cellphone|celular|portable|handy|festnetz|whatsapp|home|work|office"
    "|business|privat|private|personal|direct|main"
)
_NO_PHONES: Final = "fax|telefax|télécopie|faks|pager"
_LABEL: Final = re.compile(
    rf"(?<![^\W_])(?:(?:{_PHONES}|{_NO_PHONES})(?:\s*[.:]+\s*|\s+))+(?=[+(\d])", re.IGNORECASE
)
_NO_PHONE: Final = re.compile(_NO_PHONES, re.IGNORECASE)
_LABEL_WORD: Final = re.compile(rf"\b(?:{_PHONES}|{_NO_PHONES})\b", re.IGNORECASE)
_BETWEEN: Final = " \t\r\n,;|/:"
_LETTER: Final = re.compile(r"[^\W\d_]")
_LONG_WORD: Final = re.compile(r"[^\W\d_]{3}")
"""No label is shorter; the `x` of an extension is none."""

_NO_LETTERS: Final = re.compile(r"[\W\d_]+")
_LONGEST_REMARK: Final = 1_000
_UNWANTED: Final = re.compile(
    r"\b(?:not|no longer|wrong|invalid|stop|remove|removed|deceased|dead|died|verstorben\w*"
    r"|falsch\w*|decede\w*|fallecid\w*|refused|complain\w*)\b"
)
"""What people write beside a number that nobody should be called at."""


def labels_no_phone(label: str) -> bool:
    """Say whether a label is that of a machine nobody answers."""
    return _NO_PHONE.search(label) is not None


class Section(NamedTuple):
    """A part of a cell and the label before it, if any; `no_phone` says that it is a fax's."""

    label: str
    text: str

    @property
    def no_phone(self) -> bool:
        """Say whether the label is that of a machine nobody answers."""
        return labels_no_phone(self.label)


def has_words(text: str) -> bool:
    """Say whether a text has a letter of any script."""
    return _LETTER.search(text) is not None


def sections(text: str) -> list[Section]:
    """Take a cell apart at its labels: `Tel. +1…, Fax +1…`."""
    labels = list(_LABEL.finditer(text)) if _LONG_WORD.search(text) else []
    if not labels:
        return [Section("", text)]
    ends = [*(label.start() for label in labels[1:]), len(text)]
    before = Section("", text[: labels[0].start()].rstrip(_BETWEEN))
    labeled = (
        Section(label[0], text[label.end() : end].rstrip(_BETWEEN))
        for label, end in zip(labels, ends, strict=True)
    )
    return [before, *labeled] if before.text else list(labeled)


def forbids(text: str) -> str:
    """Return the code that a phone cell's words exclude a person with, empty for none."""
    if text.upper() == text.lower():
        return ""
    return _meaning(_NO_LETTERS.sub(" ", text[:_LONGEST_REMARK]).strip())


@lru_cache(maxsize=1024)
def _meaning(words: str) -> str:
    words = _LABEL_WORD.sub(" ", words)
    if headings.is_do_not_call(words):
        return "do_not_call"
    doubtful = headings.may_forbid(words) or _UNWANTED.search(headings.normalize(words))
    return "do_not_call_unreadable" if doubtful else ""
