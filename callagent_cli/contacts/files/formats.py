"""Which number formats show a date, and the date that a number means.

openpyxl knows the formats and the calendars; the elements are those of ECMA-376, part 1, 18.8.
"""

import importlib
from collections.abc import Callable
from typing import Any, BinaryIO, Final, NamedTuple

from callagent_cli.contacts.files.xml import elements

_FORMATS: Final = "openpyxl.styles.numbers"
_DATES: Final = "openpyxl.utils.datetime"


class DateStyles(NamedTuple):
    """The styles, by their number, that show a date, and those that show a span of time."""

    dates: frozenset[int] = frozenset()
    spans: frozenset[int] = frozenset()


def read_styles(file: BinaryIO) -> DateStyles:
    """Read the part `styles.xml`; raises `ValueError` or expat's error."""
    numbers: Any = importlib.import_module(_FORMATS)
    codes: dict[int, str] = {}
    dates: set[int] = set()
    spans: set[int] = set()
    style = 0
    for element in elements(file):
        if element.name == "numFmt" and element.parent == "numFmts":
            codes[int(element.attributes["numFmtId"])] = element.attributes["formatCode"]
        elif element.name == "xf" and element.parent == "cellXfs":
            number = int(element.attributes.get("numFmtId", "0"))
            code = codes.get(number) or numbers.builtin_format_code(number)
            if numbers.is_date_format(code):
                dates.add(style)
            if numbers.is_timedelta_format(code):
                spans.add(style)
            style += 1
    return DateStyles(frozenset(dates), frozenset(spans))


def calendar(styles: DateStyles, *, since_1904: bool) -> Callable[[float, int], object]:
    """Return what gives the date of a number under a style.

    That raises `ValueError` or `OverflowError` for a number that is no date.
    """
    dates: Any = importlib.import_module(_DATES)
    epoch = dates.MAC_EPOCH if since_1904 else dates.WINDOWS_EPOCH

    def as_date(number: float, style: int) -> object:
        return dates.from_excel(number, epoch, timedelta=style in styles.spans)

    return as_date
