"""Numbers that are reserved for fiction and belong to nobody.

The ranges are those of the North American Numbering Plan (555-0100 to 555-0199 in every area
code, ATIS-0300115) and of Ofcom ("Telephone numbers for use in TV and radio drama programmes").
"""

import re
from typing import Final

_OFCOM: Final = (
    r"1134960\d{3}",  # Leeds
    r"11[4-8]4960\d{3}",  # Sheffield, Nottingham, Leicester, Bristol, Reading
    r"1[2-6]14960\d{3}",  # Birmingham, Edinburgh, Glasgow, Liverpool, Manchester
    r"1914980\d{3}",  # Tyneside
    r"2079460\d{3}",  # London
    r"2896496\d{3}",  # Northern Ireland
    r"2890180\d{3}",  # Northern Ireland, before 2019
    r"2920180\d{3}",  # Cardiff
    r"1632960\d{3}",  # no area
    r"7700900\d{3}",  # mobile
    r"8081570\d{3}",  # freephone
    r"9098790\d{3}",  # premium rate
    r"3069990\d{3}",  # the whole of the United Kingdom
)
_FICTION: Final = re.compile(rf"\+1[2-9]\d\d55501\d\d|\+44(?:{'|'.join(_OFCOM)})")
_NANP: Final = "+1"


def is_fiction(e164: str, *, valid: bool) -> bool:
    """Say whether a number is reserved for fiction; in North America it must be valid besides.

    Some of Ofcom's ranges are not valid numbers to phonenumbers, for they are never assigned.
    """
    if "55501" not in e164 and not e164.startswith("+44"):
        return False
    if e164.startswith(_NANP) and not valid:
        return False
    return _FICTION.fullmatch(e164) is not None
