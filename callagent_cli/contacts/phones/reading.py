"""A phone cell as people write it, read into one certain number or refused with the reason."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from phonenumbers import PhoneNumberType

from callagent_cli.contacts.cells import show
from callagent_cli.contacts.phones import numbering
from callagent_cli.contacts.phones.cleaning import clean
from callagent_cli.contacts.phones.fiction import is_fiction
from callagent_cli.contacts.phones.figures import is_date, is_fraction, without_zeros
from callagent_cli.contacts.phones.remarks import has_words, sections

_SUBSCRIBER_DIGITS: Final = 7
_SHORT_DIGITS: Final = 6
_LONGEST_TEXT: Final = 250
_EXTENSION_DIGITS: Final = 10
_LONGEST_HEAD: Final = 8

_SIMPLE: Final = re.compile(r"\(?\+?[0-9][0-9 ()\-]{5,24}")
_USUAL: Final = re.compile(
    r"(?P<stored>\+?[0-9]{7,18})\.0"
    r"|(?P<number>\(?\+?[0-9][0-9 ()\-]{5,24}?)\s*(?:ext|x)\.?\s*(?P<extension>[0-9]{1,10})",
    re.IGNORECASE,
)
"""What whole columns may consist of: numbers as a spreadsheet stores them, and extensions."""

_SCIENTIFIC: Final = re.compile(r"[+-]?\d+(?:[.,]\d*)?[eE][+-]?\d+")
_EXTENSION: Final = re.compile(
    r"(?:;\s*ext\s*=|,,|;|#"
    r"|[(\[]?(?:\b|(?<=\d))"
    r"(?:extension|extn|ext|x|durchwahl|dw|nebenstelle|poste|anexo|interno|int|доб)"
    r"[.:\-]*)\s*#?\s*(\d+)\s*#?\s*[)\]]?\s*$",
    re.IGNORECASE,
)
_SEPARATOR: Final = re.compile(
    r"\s*(?::::|[;|\n\r]|(?<!,),(?!,)|\s(?:or|oder|ou|o|u|and|und|et|y|e|&)\s|[\s/]+(?=\+\d))\s*",
    re.IGNORECASE,
)
_GROUP: Final = re.compile(r"\d+")
_RUN: Final = re.compile(r"[+(]?\d(?:[\d().\-/]|[^\S\r\n])*")
_DIGIT: Final = re.compile(r"\d")
_PUNCTUATION: Final = re.compile(r"[\s().\-/\[\]]+")
_NUMBER: Final = re.compile(r"[(\[]?\+?[\d\s().\-/\[\]]+")
_NO_NUMBER: Final = frozenset({"invalid_phone", "short_number"})
_REFUSED_KINDS: Final[dict[int, tuple[str, str]]] = {
    PhoneNumberType.PREMIUM_RATE: ("premium", "a premium-rate number"),
    PhoneNumberType.SHARED_COST: ("premium", "a shared-cost number: the caller pays extra"),
    PhoneNumberType.PERSONAL_NUMBER: ("premium", "a personal number, charged like premium"),
    PhoneNumberType.TOLL_FREE: ("toll_free", "a toll-free number"),
    PhoneNumberType.PAGER: ("not_a_person", "a pager"),
    PhoneNumberType.VOICEMAIL: ("not_a_person", "a voicemail access number"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRules:
    """How numbers are read: `region` in upper case or empty; see `ReadOptions`."""

    region: str = ""
    international: bool = False
    national: bool = False
    allow_fiction: bool = False


class Refusal(NamedTuple):
    """Why a value cannot be used: a code of `codes`, and a reason that is safe to show."""

    code: str
    reason: str


_WORDS: Final = Refusal("letters", "letters among the digits")
_MISWRITTEN: Final = Refusal("ambiguous_phone", "valid with a plus, but not written like that")
MACHINE: Final = Refusal("not_a_person", "labeled as a fax or a pager")


class Phone(NamedTuple):
    """One number in E.164 that may be called; `changes` are the codes of what was cleaned."""

    number: str
    extension: str = ""
    changes: tuple[str, ...] = ()


def read_phones(text: str, rules: NumberRules) -> list[Phone | Refusal]:
    """Read a cell: one entry for each number in it, never an empty list.

    Two numbers stand apart by `;`, `,`, `|`, `:::`, a line break, a word such as "or", a slash, or
    a plus sign. A slash alone may also stand within one number, so both readings are tried.
    """
    if _SIMPLE.fullmatch(text):
        return [_simple(text, rules)]
    usual = _USUAL.fullmatch(text)
    return _careful(text, rules) if usual is None else [_usual(usual, rules)]


def _simple(text: str, rules: NumberRules) -> Phone | Refusal:
    """Read digits and what groups them."""
    compact = _PUNCTUATION.sub("", text)
    return _international(compact, rules) if "+" in compact else _bare(text.strip(), rules)


def _usual(found: re.Match[str], rules: NumberRules) -> Phone | Refusal:
    """Read what `_careful` reads in the same way, but in a fraction of the time."""
    stored, number, extension = found.group("stored", "number", "extension")
    read = _simple(stored or number, rules)
    if isinstance(read, Refusal):
        return read
    if stored:
        return _changed(read, ["decimal"])
    return Phone(read.number, extension, read.changes)


def _careful(text: str, rules: NumberRules) -> list[Phone | Refusal]:
    """Read a cell that may hold anything."""
    changes: list[str] = []
    text = clean(text, changes)
    if text.startswith("="):
        return [Refusal("no_value", "a formula without its value")]
    if not _DIGIT.search(text):
        reason = f"no phone number in `{show(text)}`" if text else "the phone cell is empty"
        return [Refusal("no_phone", reason)]
    if len(text) > _LONGEST_TEXT:
        return [Refusal("invalid_phone", "too long for a phone number")]
    read = [found for part in _parts(text, rules, changes) for found in part]
    # Words that are no label may be about every number of the cell, or name somebody else.
    worded = [found for found in read if isinstance(found, Refusal) and found.code == "letters"]
    return [*worded[:1]] or [_changed(found, changes) for found in read]


def numbers_among_words(text: str, rules: NumberRules) -> list[str]:
    """Return every number in a cell in E.164, whatever words stand around it.

    One that can be read as two is both of them.
    """
    numbers = _numbers_in(text, rules)
    if not numbers:
        runs = (run for run in _RUN.findall(text) if _digits(run) >= _SUBSCRIBER_DIGITS)
        numbers = [number for run in runs for number in _numbers_in(run, rules)]
    return list(dict.fromkeys(numbers))


def numbers_both_ways(text: str, rules: NumberRules) -> list[str]:
    """Return the numbers of a cell in E.164, read abroad and read in the region."""
    abroad = NumberRules(region=rules.region, international=True, allow_fiction=True)
    home = NumberRules(region=rules.region, national=True, allow_fiction=True)
    read = [*read_phones(text, abroad), *read_phones(text, home)]
    return [found.number for found in read if isinstance(found, Phone)]


def _numbers_in(text: str, rules: NumberRules) -> list[str]:
    read = read_phones(text, rules)
    numbers = [found.number for found in read if isinstance(found, Phone)]
    if any(isinstance(found, Refusal) and found.code == "ambiguous_phone" for found in read):
        numbers += numbers_both_ways(text, rules)
    return numbers


def _changed(found: Phone | Refusal, changes: list[str]) -> Phone | Refusal:
    if not changes or isinstance(found, Refusal):
        return found
    return Phone(found.number, found.extension, (*changes, *found.changes))


def _digits(text: str) -> int:
    return len(_DIGIT.findall(text))


def _parts(text: str, rules: NumberRules, changes: list[str]) -> Iterator[list[Phone | Refusal]]:
    """Read a cell section by section: what a label announces, and what stands before it."""
    for section in sections(text):
        if section.label and "label" not in changes:
            changes.append("label")
        if section.no_phone:
            yield [MACHINE]
        elif _digits(section.text):
            for part in _split(section.text):
                yield _across_lines(part, rules) or _with_slash(part, rules)
        elif has_words(section.text):
            yield [_WORDS]


def _split(text: str) -> list[str]:
    """Split a text into its numbers, but only where each part can be one.

    Words that would fall out make it one part, which is refused for them.
    """
    pieces = _SEPARATOR.split(text)
    parts = [piece for piece in pieces if _digits(piece)]
    if len(parts) < len(pieces) and any(has_words(piece) for piece in pieces if piece not in parts):
        return [text]
    whole = len(parts) == 1 and parts[0] != text and _EXTENSION.search(text) is None
    if whole:
        return parts
    return parts if all(_digits(part) >= _SUBSCRIBER_DIGITS for part in parts) else [text]


def _across_lines(text: str, rules: NumberRules) -> list[Phone | Refusal]:
    """Refuse a part whose first line is a number, and the next one is too short to be another."""
    head, _, tail = text.strip().partition("\n")
    if not _digits(tail) or _EXTENSION.search(text) or isinstance(_read(head, rules), Refusal):
        return []
    reason = "the line break may join two numbers, or two parts of one"
    return [Refusal("ambiguous_phone", reason)]


def _with_slash(text: str, rules: NumberRules) -> list[Phone | Refusal]:
    """Read a part whose slash joins an area code to its number, or two numbers."""
    whole = _read(text, rules)
    head, slash, tail = text.partition("/")
    if not slash or not _digits(tail) or _digits(head) < _SUBSCRIBER_DIGITS:
        return [whole]
    first = _read(head, rules)
    two = _digits(tail) >= _SUBSCRIBER_DIGITS
    if isinstance(first, Refusal) or (not two and _digits(head) < _LONGEST_HEAD):
        return [whole]
    if two and isinstance(whole, Refusal):
        return [first, *_with_slash(tail.strip(), rules)]
    return [Refusal("ambiguous_phone", "the slash may join two numbers, or two parts of one")]


def _read(text: str, rules: NumberRules) -> Phone | Refusal:
    """Read one number with its extension."""
    if _SCIENTIFIC.fullmatch(text.strip()):
        return Refusal("scientific", f"`{show(text)}` has lost its last digits in a spreadsheet")
    extension = ""
    if found := _EXTENSION.search(text):
        extension = found[1]
        text = text[: found.start()].rstrip(" ,;")
    text, decimal = without_zeros(text.strip())
    if (wrong := _wrong_form(text)) is not None:
        return wrong
    if len(extension) > _EXTENSION_DIGITS:
        return Refusal("extension", f"an extension of {len(extension)} digits")
    compact = _PUNCTUATION.sub("", text)
    phone = _international(compact, rules) if "+" in compact else _bare(text, rules)
    if isinstance(phone, Phone) and found and found[0].lstrip()[0] == ";":
        called = numbering.region_of(numbering.calling_code_of(phone.number[1:]))
        if not has_words(found[0]) and numbering.is_emergency(extension, called):
            return Refusal("emergency", f"{extension} is an emergency number")
    if isinstance(phone, Phone) and (extension or decimal):
        return Phone(phone.number, extension, (*decimal, *phone.changes))
    return phone


def _wrong_form(text: str) -> Refusal | None:
    """Say why a text cannot be the digits of one number."""
    if has_words(text):
        return _WORDS
    if is_fraction(text):
        return Refusal("fraction", "a number with a fraction")
    if not _NUMBER.fullmatch(text):
        return Refusal("invalid_phone", f"not a phone number: {show(text)}")
    return None


def _international(compact: str, rules: NumberRules) -> Phone | Refusal:
    """Read a number that names its country."""
    if compact in {"+", ""}:
        return Refusal("invalid_phone", "no digits")
    return _judge(numbering.parse(compact), compact[1:], rules)


def _bare(text: str, rules: NumberRules) -> Phone | Refusal:
    """Read a number without a plus sign: national in the region, or a plus sign that was lost."""
    if is_date(text):
        return Refusal("date", "a date, no phone number")
    digits = _PUNCTUATION.sub("", text)
    if len(digits) <= _SHORT_DIGITS and numbering.is_emergency(digits, rules.region):
        return Refusal("emergency", f"{digits} is an emergency number")
    if rules.international and (abroad := _as_international(digits, rules)) is not None:
        return abroad
    if not rules.region:
        if len(digits) <= _SHORT_DIGITS:
            return Refusal("short_number", f"a short number of {len(digits)} digits")
        return Refusal("no_country", "no country code, and no region is set")
    return _both_ways(text, digits, rules)


def _both_ways(text: str, digits: str, rules: NumberRules) -> Phone | Refusal:
    """Read digits in the region and, when they may have lost their plus sign, abroad as well."""
    national = numbering.parse(digits, rules.region)
    home = _judge(national, digits, rules)
    if digits[0] == "0" or rules.national:
        return home
    abroad = numbering.parse(f"+{digits}")
    away = _judge(abroad, digits, rules)
    if not _is_number(away):
        return home
    if _is_number(home):
        return home if _written_nationally(text, national) else _choose(home, away)
    return _choose(home, away) if _may_have_lost_plus(text, abroad) else _MISWRITTEN


def _written_nationally(text: str, national: numbering.Parsed | None) -> bool:
    """Say whether the digits stand in the groups of the national reading: (212) 555-0100.

    Spreadsheets that eat a plus sign leave bare digits, which prove nothing.
    """
    written = _GROUP.findall(text)
    return national is not None and len(written) > 1 and written == numbering.groups(national)[1:]


def _may_have_lost_plus(text: str, abroad: numbering.Parsed | None) -> bool:
    """Say whether digits may be an international number whose plus sign a spreadsheet has eaten.

    Bare digits may be, and those in the groups of that number: 44 20 7946 0000. In other groups,
    as (642) 194-2080 is, they are more likely a national number with a mistake in it.
    """
    written = _GROUP.findall(text)
    return abroad is not None and (len(written) == 1 or written == numbering.groups(abroad))


def _as_international(digits: str, rules: NumberRules) -> Phone | Refusal | None:
    """Read digits that only lost their plus sign; None when they begin as national ones do."""
    stripped = digits.removeprefix("00")
    if stripped.startswith("0") and rules.region:
        return None
    return _international(f"+{stripped}", rules)


def _is_number(read: Phone | Refusal) -> bool:
    """Say whether a reading is a number, even one that is refused for its kind."""
    return isinstance(read, Phone) or read.code not in _NO_NUMBER


def _choose(home: Phone | Refusal, away: Phone | Refusal) -> Phone | Refusal:
    """Take the one reading that is a number; refuse when both are, and differ."""
    if home == away:
        return home
    if _is_number(home):
        reason = "valid as a national number, and as another with a plus"
        return Refusal("ambiguous_phone", reason)
    if isinstance(away, Refusal):
        return away
    return Phone(away.number, away.extension, (*away.changes, "lost_plus"))


def _judge(parsed: numbering.Parsed | None, digits: str, rules: NumberRules) -> Phone | Refusal:
    """Accept a number that a person can be called at."""
    if parsed is None or not parsed.valid:
        return _not_valid(parsed, digits, rules)
    refused = _REFUSED_KINDS.get(parsed.kind)
    if refused is not None:
        return Refusal(*refused)
    number = parsed.e164
    if not rules.allow_fiction and is_fiction(number, valid=True):
        return Refusal("fiction", "a number reserved for fiction")
    return Phone(number)


def _not_valid(parsed: numbering.Parsed | None, digits: str, rules: NumberRules) -> Phone | Refusal:
    """Say what is wrong with a number that is not valid; Ofcom's drama numbers are none."""
    if parsed is not None and is_fiction(parsed.e164, valid=False):
        if rules.allow_fiction:
            return Phone(parsed.e164)
        return Refusal("fiction", "a number reserved for fiction")
    if parsed is not None and len(parsed.national) <= _SHORT_DIGITS:
        region = numbering.region_of(parsed.calling_code)
        if numbering.is_emergency(parsed.national, region):
            return Refusal("emergency", f"{parsed.national} is an emergency number")
    if len(digits) <= _SHORT_DIGITS:
        if numbering.is_emergency(digits, rules.region):
            return Refusal("emergency", f"{digits} is an emergency number")
        return Refusal("short_number", f"a short number of {len(digits)} digits")
    return Refusal("invalid_phone", "not a valid phone number")
