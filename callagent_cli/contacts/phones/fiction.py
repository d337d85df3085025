"""Numbers that are reserved for fiction and belong to nobody.

Each range is one that the authority of its country publishes:

- North America: 555-0100 to 555-0199 in every area code (ATIS-0300115).
- United Kingdom: Ofcom, "Telephone numbers for use in TV and radio drama programmes".
- Australia: ACMA, "Phone numbers for use in TV shows, films and creative works".
- France: Arcep, décision 2018-0881, annexe 1, 2.5.12.
- Germany: Bundesnetzagentur, Mitteilung 148/2021, "Rufnummern für Medienproduktionen".
- Sweden: PTS, "Telefonnummer för användning i böcker och filmer".
"""

import re
from typing import Final

_NORTH_AMERICA: Final = (r"[2-9]\d\d55501\d\d",)
_UNITED_KINGDOM: Final = (
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
_AUSTRALIA: Final = (
    r"[2378](?:5550|7010)\d{4}",
    r"491570(?:006|110|156|157|158|159|313|737)",
    r"491571(?:266|491|804)",
    r"491572(?:549|665|983)",
    r"491573(?:087|770)",
    r"491574(?:118|632)",
    r"491575(?:254|789)",
    r"491576(?:398|801)",
    r"491577(?:426|644)",
    r"491578(?:148|888|957)",
    r"491579(?:212|455|760)",
)
_FRANCE: Final = (
    r"19900\d{4}",
    r"26191\d{4}",
    r"35301\d{4}",
    r"46571\d{4}",
    r"53649\d{4}",
    r"63998\d{4}",  # mobile
)
_GERMANY: Final = (
    r"3023125\d{3}",  # Berlin
    r"6990009\d{3}",  # Frankfurt
    r"4066969\d{3}",  # Hamburg
    r"2214710\d{3}",  # Cologne
    r"8999998\d{3}",  # Munich
    r"152(?:28817386|28895456|54599371)",
    r"17139200\d\d",
    r"172(?:9925904|9968532|9973185|9973186|9980752)",
    r"174(?:9091317|9464308)",
    r"176040690\d\d",
)
_SWEDEN: Final = (
    r"7017406(?:0[5-9]|[1-9]\d)",  # mobile
    r"3139006\d\d",  # Gothenburg
    r"4062804\d\d",  # Malmö
    r"8465004\d\d",  # Stockholm
    r"9803192\d\d",  # Kiruna
)


def _of(calling_code: str, ranges: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"\+{calling_code}(?:{'|'.join(ranges)})")


_NANP: Final = _of("1", _NORTH_AMERICA)
_REST: Final = {
    code: _of(code, ranges)
    for code, ranges in (
        ("44", _UNITED_KINGDOM),
        ("61", _AUSTRALIA),
        ("33", _FRANCE),
        ("49", _GERMANY),
        ("46", _SWEDEN),
    )
}


def is_fiction(e164: str, *, valid: bool) -> bool:
    """Say whether a number is reserved for fiction; in North America it must be valid besides.

    Elsewhere some of the ranges are not valid to phonenumbers, for they are never assigned.
    """
    if e164[1] == "1":
        return valid and "55501" in e164 and _NANP.fullmatch(e164) is not None
    ranges = _REST.get(e164[1:3])
    return ranges is not None and ranges.fullmatch(e164) is not None
