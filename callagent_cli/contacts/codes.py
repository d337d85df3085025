"""Why a row is not called, or was changed before use: every code with what to do about it."""

from typing import Final

REJECT_HINTS: Final[dict[str, str]] = {
    "ambiguous_phone": "write it with +, or pass --numbers-are-international or -national",
    "cell_too_large": "shorten the cell: 32,767 characters at most, 262,144 in a row",
    "columns": "quote the cells that contain the delimiter",
    "damaged": "export the contacts again: a NUL byte stands where text was lost",
    "date": "put the phone number there: the cell holds a date",
    "emergency": "remove it: emergency numbers are never called",
    "extension": "write the extension as up to 10 digits",
    "fiction": "a number reserved for fiction: use it in the sandbox only",
    "fraction": "format the column as text in the spreadsheet and write the number again",
    "invalid_phone": "correct the number, with + and its country code",
    "letters": "write the number in digits only, and anything else in another column",
    "no_country": "write it with +, or pass --region, such as DE, or --numbers-are-international",
    "no_phone": "fill in the phone cell, or delete the row if it is a footer of the export",
    "no_value": "open the file in a spreadsheet and save it again, or paste the formula's value",
    "not_a_person": "give a number at which a person answers",
    "premium": "give a number that costs the caller nothing extra",
    "quotes": 'double every quote inside a quoted cell: "Bob ""Bobby"" Smith"',
    "scientific": "format the column as text in the spreadsheet and export again: digits are lost",
    "short_number": "write the whole number, with + and its country code",
    "timezone": "write an IANA name, such as Europe/Berlin, or leave the cell empty",
    "toll_free": "give the person's own number: toll-free lines are not called",
}
"""The codes of rejected rows, with a fix."""

EXCLUDED_HINTS: Final[dict[str, str]] = {
    "do_not_call": "the file says not to call them",
    "do_not_call_unreadable": "write yes or no in the do-not-call column",
    "no_timezone": "add a `timezone` column with an IANA name, such as Europe/Berlin",
    "suppressed": "they are never called; if one is there by mistake: suppress --remove NUMBER",
}
"""The codes of people who are left out because they must not be called."""

WARNING_HINTS: Final[dict[str, str]] = {
    "alternate_used": "the first number of the row cannot be called; the next one is used",
    "decimal": "`.0` was removed from the end of a number: format the column as text",
    "formula": "a formula is not handed to the agent: paste its value instead",
    "hidden": "invisible characters were removed",
    "label": "a word before the number was removed",
    "lost_plus": "a number without + is valid only with it; it is read as international",
    "spreadsheet_text": '="…" around a value was removed',
    "tel": "tel: was removed",
}
"""The codes of cells that were changed before use, with what was done."""


def hint_of(code: str) -> str:
    """Return the fix hint of any code; empty for a duplicate, which needs none."""
    return REJECT_HINTS.get(code) or EXCLUDED_HINTS.get(code) or WARNING_HINTS.get(code, "")
