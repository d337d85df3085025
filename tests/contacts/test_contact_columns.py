"""Which column holds what, for the exports people really have."""

from typing import Any

import pytest
from contact_files import ANN, BOB, EVE, read

from callagent_cli.errors import ContactsError

PHONE_HEADINGS = [
    "Phone",
    "PHONE NUMBER",
    "phone_number",
    "phoneNumber",
    "Phone Number__c",
    "Mobile Phone Number",
    "Mobile",
    "cell-phone",
    "Tel.",
    "Contact Number",
    "E.164 phone",
    "Business Phone",
    "Phone 1 - Value",
    "Telefon",
    "Telefonnummer",
    "Telefon (geschäftlich)",
    "Handynummer",
    "Rufnummer",
    "Téléphone",
    "Numéro de téléphone",
    "N° de téléphone",
    "Portable",
    "Teléfono móvil",
    "Número de teléfono",
    "Celular",
    "PHONENUMBER",
    "mobilephone",
    "Phone 2",
    "Number",
]


@pytest.mark.parametrize("heading", PHONE_HEADINGS)
def test_a_phone_column_is_known_by_its_meaning(heading: str) -> None:
    """Case, punctuation, accents and language of the heading do not matter."""
    result = read(f"Name;{heading}\nAnn;{ANN}\n")

    assert result.numbers == [ANN]
    assert result.report.phone_columns == (heading,)


@pytest.mark.parametrize(
    "heading",
    [
        "Fax",
        "Hotel",
        "Phone 1 - Label",
        "Phone Type",
        "Phone Extension",
        "Country code",
        "Phonetic name",
    ],
)
def test_a_heading_that_only_speaks_of_phones_is_no_phone_column(heading: str) -> None:
    """Without a phone column nothing is read, and the message names what there is."""
    with pytest.raises(ContactsError) as error:
        read(f"Name,{heading}\nAnn,{ANN}\n")

    assert error.value.message.endswith(f"contacts.csv: no phone column among `Name`, `{heading}`")
    assert "--phone-column" in error.value.hint


def test_two_candidates_stop_the_import_and_are_named() -> None:
    """HubSpot exports both columns; the person must say which one, or both in order."""
    with pytest.raises(ContactsError) as error:
        read(f"Phone Number,Mobile Phone Number\n{ANN},{BOB}\n")

    assert "`Phone Number`, `Mobile Phone Number`" in error.value.message
    assert '--phone-column "Phone Number,Mobile Phone Number"' in error.value.hint


@pytest.mark.parametrize(
    ("header", "row", "hint"),
    [
        ("Phone 1,Phone 2", f"{ANN},{BOB}", '--phone-column "Phone 1,Phone 2"'),
        ("Phone,mobilephone", f"{ANN},{BOB}", '--phone-column "Phone,mobilephone"'),
        ("Phone,Timezone,Time Zone", f"{ANN},UTC,", '--map "timezone=Timezone"'),
        ("Phone,tz,Zeitzone", f"{ANN},UTC,", '--map "timezone=tz"'),
        ("Phone,tz,Contact Time Zone", f"{ANN},UTC,", '--map "timezone=tz"'),
        ("Phone,Full Name,FULLNAME", f"{ANN},Ann,", '--map "name=Full Name"'),
        ("Phone,First Name,FirstName", f"{ANN},Ann,", "rename one of them"),
    ],
)
def test_two_columns_that_mean_the_same_stop_the_import(header: str, row: str, hint: str) -> None:
    """Nobody knows which one holds; the message names both, and the option that says it."""
    with pytest.raises(ContactsError) as error:
        read(f"{header}\n{row}\n")

    assert all(f"`{name}`" in error.value.message for name in header.split(",")[-2:])
    assert hint in error.value.hint


def test_a_column_that_is_named_is_no_candidate_among_two() -> None:
    """`--map` decides, and the other one is handed to the agent."""
    [ann] = read(
        f"Phone,Timezone,Time Zone\n{ANN},Asia/Tokyo,UTC\n", column_map={"timezone": "Timezone"}
    ).contacts

    assert ann.timezone == "Asia/Tokyo"
    assert ann.variables == {"time_zone": "UTC"}


def test_a_number_column_counts_only_when_no_other_means_a_phone() -> None:
    """`Number` may be a customer's; next to `Phone` it is one more variable."""
    result = read(f"Number,Phone\n17,{ANN}\n")

    assert result.numbers == [ANN]
    assert result.contacts[0].variables == {"number": "17"}


def test_named_phone_columns_are_tried_in_order() -> None:
    """The first column with a number is used, the next one kept as the alternate."""
    result = read(
        f"Name,Work,Home\nAnn,{ANN},{BOB}\nEve,,{EVE}\nIvy,n/a,+442079460001\n",
        phone_columns=("work", "Home"),
    )

    assert [(c.number, c.alternate) for c in result.contacts] == [
        (ANN, BOB),
        (EVE, ""),
        ("+442079460001", ""),
    ]
    assert result.report.warnings == {"alternate_used": 1}


def test_google_values_of_one_person_are_read_in_their_order() -> None:
    """`Phone 1 - Value` comes first, `:::` separates several values of one label."""
    result = read(
        "First Name,Last Name,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value\n"
        f"Ann,Lee,Mobile,{ANN} ::: {BOB},Work,{EVE}\n"
        f"Bob,Ray,,,Work,+442079460001\n"
    )

    assert [(c.name, c.number, c.alternate) for c in result.contacts] == [
        ("Ann Lee", ANN, BOB),
        ("Bob Ray", "+442079460001", ""),
    ]


def test_a_google_value_labeled_as_a_fax_is_not_dialed() -> None:
    """The label stands in a column of its own; the next value is used, and one may forbid."""
    header = "Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value"
    result = read(
        f"{header}\nWork Fax,{ANN},Mobile,{BOB}\nMobile,{EVE},Home Fax,{ANN}\n"
        "Do not call,+442079460001,,\nFax,+442079460002,,\n"
    )

    assert [(c.number, c.alternate) for c in result.contacts] == [(BOB, ""), (EVE, "")]
    assert result.report.warnings == {"alternate_used": 1}
    assert result.report.excluded == {"do_not_call": 1}
    assert result.report.rejected == {"not_a_person": 1}


def test_a_hubspot_export_fills_every_field() -> None:
    """Record id, name, time zone and the rest as variables named for templates."""
    result = read(
        "Record ID,First Name,Last Name,Phone Number,Time Zone,Company Name,Lead Status\n"
        f"51,Ann,Lee,{ANN},america_slash_new_york,Acme,Open\n"
    )
    [ann] = result.contacts

    assert (ann.crm_id, ann.name, ann.timezone) == ("51", "Ann Lee", "America/New_York")
    assert ann.variables == {
        "first_name": "Ann",
        "last_name": "Lee",
        "company_name": "Acme",
        "lead_status": "Open",
    }
    assert result.report.variables == tuple(ann.variables)


def test_a_mapping_overrides_every_meaning() -> None:
    """`--map` points each field at a column, by its name in any case."""
    result = read(
        f"who,phone,call,key,tz2,ext2,stop\nAnn,n/a,{ANN},k1,Europe/London,7,no\n",
        column_map={
            "phone": "CALL",
            "name": "who",
            "crm_id": "key",
            "timezone": "tz2",
            "extension": "ext2",
            "do_not_call": "stop",
        },
    )
    [ann] = result.contacts

    assert (ann.number, ann.name, ann.crm_id) == (ANN, "Ann", "k1")
    assert (ann.timezone, ann.extension) == ("Europe/London", "7")
    assert ann.variables == {"phone": "n/a"}


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"phone_columns": ("Mobil",)}, "no column `Mobil` among `Name`, `Phone`"),
        ({"column_map": {"name": "Who"}}, "no column `Who` among `Name`, `Phone`"),
        ({"column_map": {"color": "Name"}}, "no field `color`"),
        ({"region": "XX"}, "unknown region `XX`"),
        ({"numbers_are_national": True}, "need a region"),
        (
            {"region": "DE", "numbers_are_national": True, "numbers_are_international": True},
            "both international and national",
        ),
    ],
)
def test_an_option_that_fits_nothing_stops_the_import(options: dict[str, Any], part: str) -> None:
    """A misspelled column, field or region is an error, never a guess."""
    with pytest.raises(ContactsError) as error:
        read(f"Name,Phone\nAnn,{ANN}\n", **options)

    assert part in error.value.message
    assert error.value.hint


def test_equal_headers_stop_the_import() -> None:
    """Nobody can know which of two equal columns is meant."""
    with pytest.raises(ContactsError) as error:
        read(f"Name,Phone,phone \nAnn,{ANN},{BOB}\n")

    assert "two columns are called `phone`: 2 and 3" in error.value.message


def test_empty_headings_are_columns_by_number() -> None:
    """Columns without a name are kept as variables, however many there are."""
    [ann] = read(f"Phone,,\n{ANN},a,b\n").contacts

    assert ann.variables == {"column_2": "a", "column_3": "b"}


def test_headings_that_make_the_same_variable_get_a_number() -> None:
    """No cell is lost when two different headings would be one name."""
    [ann] = read(f"Phone,Plan+,Plan-\n{ANN},a,b\n").contacts

    assert ann.variables == {"plan": "a", "plan_3": "b"}


def test_a_bare_column_of_numbers_needs_no_header() -> None:
    """A single column whose first line is a number is a list of numbers."""
    result = read(f"{ANN}\n+44 20 7946 0000\n")

    assert result.numbers == [ANN, EVE]
    assert [contact.line for contact in result.contacts] == [1, 2]


def test_a_headerless_table_is_told_apart_from_a_missing_column() -> None:
    """The message says that the header is missing, and shows no number."""
    with pytest.raises(ContactsError) as error:
        read(f"Ann,{ANN}\nBob,{BOB}\n")

    assert "where column names should stand" in error.value.message
    assert "5550100" not in error.value.message


@pytest.mark.parametrize(
    "heading",
    ["Contact Time Zone", "Customer's timezone", "Time Zone (IANA)", "TimeZoneSidKey", "TZ_NAME"],
)
def test_words_around_a_time_zone_leave_it_the_persons(heading: str) -> None:
    """Who is not read would be called by the zone of the number, from wherever they moved."""
    [ann] = read(f"Phone,{heading}\n{ANN},Asia/Tokyo\n").contacts

    assert ann.timezone == "Asia/Tokyo"


@pytest.mark.parametrize(
    "heading", ["Owner Time Zone", "IP Timezone", "UTC offset", "Timezone Offset", "GMT Offset"]
)
def test_a_column_that_may_be_the_time_zone_is_named(heading: str) -> None:
    """It may be somebody else's, or say it in another way; with a better one nobody is asked."""
    alone = read(f"Phone,{heading}\n{ANN},x\n")
    beside = read(f"Phone,tz,{heading}\n{ANN},Asia/Tokyo,x\n")

    assert alone.contacts[0].timezone == ""
    [note] = alone.report.notes
    assert note.startswith(f"column `{heading}` is not read as the person's time zone")
    assert note.endswith(f'--map "timezone={heading}"')
    assert beside.contacts[0].timezone == "Asia/Tokyo"
    assert beside.report.notes == []
