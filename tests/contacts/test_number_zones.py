"""The zones of a number are those of phonenumbers, and too many say nothing."""

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, timezone

from callagent_cli.calls.model import Contact
from callagent_cli.contacts.zones import with_zones, zones_of_number

TYPES = range(11)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_the_zones_are_those_of_phonenumbers(region: str) -> None:
    """For an example of each kind of number of each region the answer is the library's."""
    for kind in TYPES:
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        number = phonenumbers.format_number(example, PhoneNumberFormat.E164)
        found = timezone.time_zones_for_number(example)

        assert zones_of_number(number) == tuple(zone for zone in found if zone != "Etc/Unknown")


def test_a_number_of_fiction_is_where_its_digits_are() -> None:
    """The sandbox takes those of Ofcom, which no library calls valid, and has windows to keep."""
    assert zones_of_number("+442079460000") == ("Europe/London",)
    assert "Europe/London" in zones_of_number("+447700900001")
    assert zones_of_number("+442079470") == ()


def test_a_number_of_many_zones_is_of_no_known_zone() -> None:
    """Dozens of zones, as of a line without a place, are no answer."""
    many = Contact(line=2, number="+18005550199")
    one = Contact(line=2, number="+12125550100")

    assert with_zones(many) is None
    assert with_zones(Contact(line=2, number="+999")) is None
    known = with_zones(one)
    assert known is not None
    assert known.timezone == "America/New_York"
