"""What kind of number a number is, exactly as phonenumbers says, in a quarter of its time.

phonenumbers finds the same metadata, lengths and patterns anew for every number; here they are
looked up once per calling code and only matched. Whatever is not plain is parsed by phonenumbers.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType

_PLAIN: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_DIGITS: Final = re.compile(r"[0-9]{7,14}")
_LONGEST_CODE: Final = 3
_KINDS: Final = (
    ("premium_rate", PhoneNumberType.PREMIUM_RATE),
    ("toll_free", PhoneNumberType.TOLL_FREE),
    ("shared_cost", PhoneNumberType.SHARED_COST),
    ("voip", PhoneNumberType.VOIP),
    ("personal_number", PhoneNumberType.PERSONAL_NUMBER),
    ("pager", PhoneNumberType.PAGER),
    ("uan", PhoneNumberType.UAN),
    ("voicemail", PhoneNumberType.VOICEMAIL),
)
"""In the order in which phonenumbers asks: the first that matches is the kind."""

UNKNOWN: Final[int] = PhoneNumberType.UNKNOWN

Matches = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class _Description:
    """The lengths and the pattern of one kind of number."""

    lengths: frozenset[int]
    matches: Matches

    def fits(self, national: str) -> bool:
        if self.lengths and len(national) not in self.lengths:
            return False
        return self.matches(national) is not None


def _description(raw: Any) -> _Description | None:  # noqa: ANN401 — untyped in phonenumbers.
    if raw is None or not raw.national_number_pattern:
        return None
    pattern = re.compile(raw.national_number_pattern)
    return _Description(frozenset(raw.possible_length), pattern.fullmatch)


class _Region:
    """The patterns of one region, or of a calling code that belongs to none."""

    def __init__(self, metadata: Any) -> None:  # noqa: ANN401 — untyped in phonenumbers.
        leading = metadata.leading_digits
        self.leads: Matches | None = re.compile(leading).match if leading is not None else None
        prefix = metadata.national_prefix_for_parsing
        self.strips: Matches | None = re.compile(prefix).match if prefix else None
        self._general = _description(metadata.general_desc)
        described = ((kind, _description(getattr(metadata, name))) for name, kind in _KINDS)
        self._kinds = tuple((kind, found) for kind, found in described if found)
        self._fixed = _description(metadata.fixed_line)
        self._mobile = _description(metadata.mobile)
        self._same = bool(metadata.same_mobile_and_fixed_line_pattern)

    def kind(self, national: str) -> int:
        if self._general is None or not self._general.fits(national):
            return UNKNOWN
        for kind, description in self._kinds:
            if description.fits(national):
                return kind
        return self._ordinary(national)

    def _ordinary(self, national: str) -> int:
        fixed = self._fixed is not None and self._fixed.fits(national)
        if fixed and self._same:
            return PhoneNumberType.FIXED_LINE_OR_MOBILE
        mobile = not self._same and self._mobile is not None and self._mobile.fits(national)
        if fixed:
            return PhoneNumberType.FIXED_LINE_OR_MOBILE if mobile else PhoneNumberType.FIXED_LINE
        return PhoneNumberType.MOBILE if mobile else UNKNOWN


@cache
def _regions(calling_code: int) -> tuple[_Region, ...]:
    names = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(calling_code, ())
    found = (PhoneMetadata.metadata_for_region_or_calling_code(calling_code, n) for n in names)
    return tuple(_Region(metadata) for metadata in found if metadata is not None)


def kind_of(calling_code: int, national: str) -> int:
    """Return the `PhoneNumberType` of a national significant number; UNKNOWN is not valid."""
    regions = _regions(calling_code)
    if len(regions) == 1:
        return regions[0].kind(national)
    for region in regions:
        if region.leads is not None:
            if region.leads(national):
                return region.kind(national)
        elif (kind := region.kind(national)) != UNKNOWN:
            return kind
    return UNKNOWN


@dataclass(frozen=True, slots=True)
class Parsed:
    """A number as phonenumbers reads it, valid or not; `kind` is its `PhoneNumberType`."""

    calling_code: int
    national: str
    extension: str
    kind: int

    @property
    def e164(self) -> str:
        """Return the number with its plus sign."""
        return f"+{self.calling_code}{self.national}"

    @property
    def valid(self) -> bool:
        """Say whether `phonenumbers.is_valid_number` holds."""
        return self.kind != UNKNOWN


def calling_code_of(digits: str) -> int:
    """Return the calling code that digits without a plus sign begin with, 0 for none."""
    for length in range(1, _LONGEST_CODE + 1):
        head = digits[:length]
        if head.isdigit() and int(head) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return int(head) if head[0] != "0" else 0
    return 0


def _plain(text: str) -> Parsed | None:
    """Read `+` and digits alone, when no national prefix can be among them."""
    if not _PLAIN.fullmatch(text):
        return None
    digits = text[1:]
    code = calling_code_of(digits)
    national = digits[len(str(code)) :]
    if not code or not national or national[0] == "0":
        return None
    main = _regions(code)[0]
    if main.strips is not None and main.strips(national):
        return None
    return Parsed(code, national, "", kind_of(code, national))


@dataclass(frozen=True, slots=True)
class _Home:
    """How one region writes its national numbers: `prefix` is its trunk prefix when plain."""

    calling_code: int
    code_text: str
    dials_abroad: Matches
    strips: Matches | None
    prefix: str
    possible: frozenset[int]
    general: Matches

    def national(self, digits: str) -> str:
        """Return the national significant number, or nothing when only phonenumbers knows."""
        if digits.startswith(self.code_text) or self.dials_abroad(digits):
            return ""
        if self.strips is not None and self.strips(digits):
            if not self.prefix:
                return ""
            digits = digits[len(self.prefix) :]
            if len(digits) not in self.possible or not self.general(digits):
                return ""
        return "" if digits[:1] == "0" else digits


@cache
def _home(region: str) -> _Home:
    metadata: Any = PhoneMetadata.metadata_for_region(region, None)
    parsing = metadata.national_prefix_for_parsing or ""
    plain = parsing.isdigit() and not metadata.national_prefix_transform_rule
    general = metadata.general_desc
    local = frozenset(general.possible_length_local_only)
    return _Home(
        calling_code=metadata.country_code,
        code_text=str(metadata.country_code),
        dials_abroad=re.compile(metadata.international_prefix or r"(?!)").match,
        strips=re.compile(parsing).match if parsing else None,
        prefix=parsing if plain else "",
        possible=frozenset(general.possible_length) - local,
        general=re.compile(general.national_number_pattern).fullmatch,
    )


def _plain_national(digits: str, region: str) -> Parsed | None:
    """Read a number of digits alone in a region, when it is certain what its prefix is."""
    if not _DIGITS.fullmatch(digits):
        return None
    home = _home(region)
    national = home.national(digits)
    if not national:
        return None
    return Parsed(home.calling_code, national, "", kind_of(home.calling_code, national))


def groups(parsed: Parsed) -> list[str]:
    """Return the calling code and the groups in which a number's digits are usually written."""
    number = phonenumbers.parse(parsed.e164)
    style = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return re.findall(r"\d+", phonenumbers.format_number(number, style))


def is_region(region: str) -> bool:
    """Say whether phonenumbers knows a two-letter region."""
    return region in phonenumbers.SUPPORTED_REGIONS


@lru_cache(maxsize=4096)
def is_emergency(digits: str, region: str) -> bool:
    """Say whether digits are an emergency number in a region; without one, anywhere at all."""
    regions = (region,) if region else sorted(phonenumbers.SUPPORTED_SHORT_REGIONS)
    return any(phonenumbers.is_emergency_number(digits, one) for one in regions)


def region_of(calling_code: int) -> str:
    """Return the main region of a calling code."""
    return phonenumbers.region_code_for_country_code(calling_code)


def parse(text: str, region: str = "") -> Parsed | None:
    """Read a number, national ones in `region`; None when phonenumbers finds none in the text."""
    plain = _plain(text)
    if plain is None and region:
        plain = _plain_national(text, region)
    if plain is not None:
        return plain
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return None
    code = number.country_code or 0
    national = phonenumbers.national_significant_number(number)
    return Parsed(code, national, number.extension or "", kind_of(code, national))
