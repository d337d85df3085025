"""What kind of number a number is, exactly as phonenumbers says, in a quarter of its time.

phonenumbers finds the same metadata, lengths and patterns anew for every number; here they are
looked up once per calling code and only matched. Whatever is not plain is parsed by phonenumbers.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType

_PLAIN: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_DIGITS: Final = re.compile(r"[0-9]{7,14}")
_GROUP: Final = re.compile(r"[0-9]+")
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


def _any_of(patterns: list[str]) -> Matches:
    """Return what matches whatever one of the patterns does as a whole."""
    joined = "|".join(f"(?:{pattern})" for pattern in patterns if pattern)
    return re.compile(joined or r"(?!)").fullmatch


class _Region:
    """The patterns of one region, or of a calling code that belongs to none.

    Most numbers are ordinary: one look at all the other patterns together says so.
    """

    def __init__(self, metadata: Any) -> None:  # noqa: ANN401 — untyped in phonenumbers.
        leading = metadata.leading_digits
        self.leads: Matches | None = re.compile(leading).match if leading is not None else None
        prefix = metadata.national_prefix_for_parsing
        self.strips: Matches | None = re.compile(prefix).match if prefix else None
        self._general = _description(metadata.general_desc)
        described = ((kind, _description(getattr(metadata, name))) for name, kind in _KINDS)
        self._kinds = tuple((kind, found) for kind, found in described if found)
        patterns = (getattr(metadata, name) for name, _ in _KINDS)
        self._is_special = _any_of([raw.national_number_pattern for raw in patterns if raw])
        self._fixed = _description(metadata.fixed_line)
        self._mobile = _description(metadata.mobile)
        self._same = bool(metadata.same_mobile_and_fixed_line_pattern)

    def kind(self, national: str) -> int:
        if self._general is None or not self._general.fits(national):
            return UNKNOWN
        if self._is_special(national):
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


class Parsed(NamedTuple):
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


_CALLING_CODES: Final = {str(code): code for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE}


def calling_code_of(digits: str) -> int:
    """Return the calling code that digits without a plus sign begin with, 0 for none."""
    for length in range(1, _LONGEST_CODE + 1):
        if code := _CALLING_CODES.get(digits[:length]):
            return code
    return 0


@lru_cache(maxsize=16)
def _plain(text: str) -> Parsed | None:
    """Read `+` and digits alone, when no national prefix can be among them.

    A number that was just read is soon asked for its time zones, hence the small cache.
    """
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
    """How one region writes its national numbers, and what `phonenumbers.parse` makes of them.

    `transforms` says that a trunk prefix may be more than left out; `is_main` that no other region
    speaks for the calling code. Lengths are those of the general description.
    """

    calling_code: int
    code_text: str
    is_main: bool
    dials_abroad: Matches
    strips: Callable[[str], re.Match[str] | None] | None
    transforms: bool
    possible: frozenset[int]
    local: frozenset[int]
    longest: int
    general: Matches

    def national(self, digits: str) -> str:
        """Return the national significant number, or nothing when only phonenumbers knows."""
        if self.dials_abroad(digits):
            return ""
        if digits.startswith(self.code_text):
            rest = self._without_prefix(digits[len(self.code_text) :])
            if rest is None:
                return ""
            if self._too_long(digits) or (self.general(rest) and not self.general(digits)):
                if not self.is_main:
                    return ""
                digits = rest
        stripped = self._without_prefix(digits)
        if stripped is None:
            return ""
        if len(stripped) in self.possible or self._too_long(stripped):
            digits = stripped
        return "" if digits[:1] in {"0", ""} else digits

    def _without_prefix(self, number: str) -> str | None:
        """Leave out the trunk prefix, unless the number is one only with it; None when unsure."""
        found = self.strips(number) if self.strips is not None and number else None
        if found is None:
            return number
        if self.transforms:
            return None
        rest = number[found.end() :]
        return number if self.general(number) and not self.general(rest) else rest

    def _too_long(self, number: str) -> bool:
        return len(number) > self.longest and len(number) not in self.local


@cache
def _home(region: str) -> _Home:
    metadata: Any = PhoneMetadata.metadata_for_region(region, None)
    parsing = metadata.national_prefix_for_parsing
    general = metadata.general_desc
    local = frozenset(general.possible_length_local_only)
    return _Home(
        calling_code=metadata.country_code,
        code_text=str(metadata.country_code),
        is_main=region_of(metadata.country_code) == region,
        dials_abroad=re.compile(metadata.international_prefix or r"(?!)").match,
        strips=re.compile(parsing).match if parsing else None,
        transforms=bool(metadata.national_prefix_transform_rule),
        possible=frozenset(general.possible_length) - local,
        local=local,
        longest=max(general.possible_length),
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


class _Style(NamedTuple):
    """One way in which the numbers of a calling code are written abroad."""

    leads: Matches
    pattern: re.Pattern[str]
    format: str


@cache
def _styles(calling_code: int) -> tuple[_Style, ...]:
    region = region_of(calling_code)
    metadata: Any = PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region)
    # The last pattern of leading digits is the most detailed one, and the one that decides.
    return tuple(
        _Style(
            re.compile((style.leading_digits_pattern or [""])[-1]).match,
            re.compile(style.pattern),
            style.format,
        )
        for style in metadata.intl_number_format or metadata.number_format
    )


def groups(parsed: Parsed) -> list[str]:
    """Return the calling code and the groups in which a number's digits are usually written.

    They are those of `phonenumbers.format_number` for `PhoneNumberFormat.INTERNATIONAL`.
    """
    written = national = parsed.national
    for style in _styles(parsed.calling_code):
        if style.leads(national) and style.pattern.fullmatch(national):
            written = style.pattern.sub(style.format, national)
            break
    return [str(parsed.calling_code), *_GROUP.findall(written)]


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
