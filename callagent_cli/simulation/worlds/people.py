"""The contact list of a simulated campaign: as many people as asked for, none of them real."""

from collections.abc import Iterator
from typing import Final

from callagent_cli.calls.model import Call, Contact

_AREAS: Final = tuple(range(201, 990))
_PER_AREA: Final = 100


def simulated_calls(campaign: str, contacts: int) -> Iterator[Call]:
    """Yield a call for each person; their numbers are the 555-01xx that are kept for fiction."""
    for index in range(contacts):
        area = _AREAS[index // _PER_AREA % len(_AREAS)]
        extension = index // (_PER_AREA * len(_AREAS))
        yield Call(
            id=f"call_{index + 1:06d}",
            campaign=campaign,
            contact=Contact(
                line=index + 2,
                number=f"+1{area}55501{index % _PER_AREA:02d}",
                extension=str(extension) if extension else "",
                name=f"Person {index + 1}",
                timezone="UTC",
            ),
        )
