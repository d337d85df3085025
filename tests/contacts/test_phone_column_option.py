"""`--phone-column` as a person types it: what an error proposes works as it stands."""

import shlex

import pytest
from contact_commands import Desk
from contact_files import ANN, BOB


@pytest.mark.parametrize(
    "header",
    [
        "Work Phone,Mobile",
        '"Phone, work",Mobile',
        '"Phone, work","Phone, home"',
        "Telefon (privat),Téléphone",
        '"Phone\nwork",Mobile',
    ],
)
def test_the_proposed_option_is_one_that_can_be_typed(desk: Desk, header: str) -> None:
    """Two columns may hold the phone: both are named, in an option that a shell passes on whole."""
    name = desk.write(f"{header}\n{ANN},\n,{BOB}\n")

    stopped = desk.say("contacts", "check", name)
    option = stopped.err.partition("in order: ")[2].strip()
    taken = desk.say("contacts", "check", name, *shlex.split(option))

    assert stopped.code == 2
    assert taken.code == 0, (option, taken.err)
    assert "2 rows: 2 new" in taken.out
