"""Which column holds what: from the headings, from `--phone-column` and from `--map`."""

import re
from dataclasses import dataclass, field
from typing import Final

from callagent_cli.contacts import headings
from callagent_cli.contacts.cells import show, visible
from callagent_cli.contacts.options import FIELDS, ReadOptions
from callagent_cli.errors import ContactsError

_NAMED: Final = 12
_SHOWN: Final = {
    "name": "name",
    "first": "first name",
    "last": "last name",
    "timezone": "time zone",
    "crm_id": "record id",
    "extension": "extension",
}
_PHONE_HINT: Final = "name it: --phone-column COLUMN"
_LOOKS_LIKE_PHONE: Final = re.compile(r"(?:tel:|=\")?\s*\+?[\d\s().\-/\u00a0]{7,30}\"?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where each field stands, by index; `variables` are the names and indexes of the rest.

    `name` holds the indexes that make a name, one or two; `unread_marks` are the columns that may
    be do-not-call marks and are not read as such, `unread_zones` the same of time zones; `labels`
    are the columns that say what the number in one of the phone columns is, by the index of that.
    `has_header` is false for a bare column of phone numbers.
    """

    header: tuple[str, ...]
    phone: tuple[int, ...]
    name: tuple[int, ...] = ()
    timezone: int | None = None
    crm_id: int | None = None
    extension: int | None = None
    do_not_call: tuple[int, ...] = ()
    variables: tuple[tuple[str, int], ...] = ()
    unread_marks: tuple[str, ...] = ()
    unread_zones: tuple[str, ...] = ()
    labels: dict[int, int] = field(default_factory=dict)
    has_header: bool = True


def looks_like_phone(cell: str) -> bool:
    """Say whether a heading is no heading but a phone number."""
    digits = sum(character.isdigit() for character in cell)
    return digits >= 7 and _LOOKS_LIKE_PHONE.fullmatch(visible(cell)) is not None  # noqa: PLR2004 — the shortest subscriber numbers.


def has_phone(header: list[str], options: ReadOptions) -> bool:
    """Say whether a header names a phone column, or the one that the options name."""
    if options.phone_columns or "phone" in options.column_map:
        wanted = options.phone_columns or (options.column_map["phone"],)
        return all(_find(header, name) is not None for name in wanted)
    return any(headings.is_phone(name) or _in_series(name) for name in header)


def resolve(header: list[str], options: ReadOptions, *, label: str) -> Columns:
    """Return where everything stands; raises `ContactsError` when that is not certain."""
    names = [visible(name).strip() for name in header]
    if len(names) == 1 and looks_like_phone(names[0]) and not options.phone_columns:
        return Columns(header=("phone",), phone=(0,), has_header=False)
    _refuse_equal(names, label)
    mapped = _mapped(names, options, label)
    phone = _phone_columns(names, options, label)
    taken = set(phone) | set(mapped.values())
    free = [name if index not in taken else "" for index, name in enumerate(names)]
    found = {
        wanted: mapped[wanted] if wanted in mapped else _only(wanted, free, label)
        for wanted in ("timezone", "crm_id", "extension")
    }
    name = _name_columns(free, mapped, label)
    do_not_call = [index for index, text in enumerate(free) if headings.is_do_not_call(text)]
    if "do_not_call" in mapped:
        do_not_call.append(mapped["do_not_call"])
    used = {*phone, *do_not_call, *(index for index in found.values() if index is not None)}
    if len(name) == 1:
        used.update(name)
    return Columns(
        header=tuple(names),
        phone=phone,
        name=name,
        timezone=found["timezone"],
        crm_id=found["crm_id"],
        extension=found["extension"],
        do_not_call=tuple(do_not_call),
        variables=_variables(names, used),
        unread_marks=_unread_marks(names, used),
        unread_zones=_unread_zones(names, used) if found["timezone"] is None else (),
        labels=_labels(names, phone),
    )


def _refuse_equal(names: list[str], label: str) -> None:
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        key = " ".join(name.casefold().split())
        if key and key in seen:
            first = seen[key] + 1
            message = f"{label}: two columns are called `{show(name)}`: {first} and {index + 1}"
            raise ContactsError(message, hint="rename one of them")
        seen[key] = index


def _find(names: list[str], wanted: str) -> int | None:
    """Find a column by its name as written, else by its meaning when just one has it."""
    exact = [index for index, name in enumerate(names) if name.strip() == wanted.strip()]
    if exact:
        return exact[0]
    meant = headings.normalize(wanted)
    alike = [index for index, name in enumerate(names) if headings.normalize(name) == meant]
    return alike[0] if meant and len(alike) == 1 else None


def _must_find(names: list[str], wanted: str, label: str) -> int:
    index = _find(names, wanted)
    if index is None:
        message = f"{label}: no column `{show(wanted)}` among {_listed(names)}"
        raise ContactsError(message, hint="write a column as the first line of the file does")
    return index


def _listed(names: list[str]) -> str:
    filled = [f"`{show(name)}`" for name in names if name]
    more = [f"{len(filled) - _NAMED} more"] if len(filled) > _NAMED else []
    return ", ".join([*filled[:_NAMED], *more]) or "its empty headings"


def _mapped(names: list[str], options: ReadOptions, label: str) -> dict[str, int]:
    """Return the columns of `--map`, the phone left to `_phone_columns`."""
    for wanted in options.column_map:
        if wanted not in FIELDS:
            message = f"{label}: no field `{show(wanted)}` to map a column to"
            raise ContactsError(message, hint=f"fields: {', '.join(FIELDS)}")
    return {
        field: _must_find(names, column, label)
        for field, column in options.column_map.items()
        if field != "phone"
    }


def _phone_columns(names: list[str], options: ReadOptions, label: str) -> tuple[int, ...]:
    named = options.phone_columns or tuple(
        column for field, column in options.column_map.items() if field == "phone"
    )
    if named:
        indexes = (_must_find(names, column, label) for column in named)
        return tuple(dict.fromkeys(indexes))
    found = _candidates(names)
    if not found:
        raise _no_phone(names, label)
    if len(found) > 1:
        heads = [names[group[0]] for group in found]
        message = f"{label}: {len(heads)} columns may hold the phone: {_listed(heads)}"
        both = _option([visible(head) for head in heads[:2]])
        raise ContactsError(message, hint=f"name one, or several in order: --phone-column {both}")
    return tuple(found[0])


def _option(names: list[str]) -> str:
    """Return names as `--phone-column` takes them; one with a comma stands in quotes of its own."""
    if any("," in name for name in names):
        return "'{}'".format(",".join(f'"{name}"' for name in names))
    return '"{}"'.format(",".join(names))


def _in_series(name: str) -> bool:
    return headings.series_number(name) is not None


def _candidates(names: list[str]) -> list[list[int]]:
    """Return the columns that may hold the phone; Google's numbered ones are one in order."""
    series = [index for index, name in enumerate(names) if _in_series(name)]
    series.sort(key=lambda index: headings.series_number(names[index]) or 0)
    single = [
        [index]
        for index, name in enumerate(names)
        if headings.is_phone(name) and index not in series
    ]
    found = [*single, *([series] if series else [])]
    weak = [[index] for index, name in enumerate(names) if headings.is_weak_phone(name)]
    return found or weak


def _no_phone(names: list[str], label: str) -> ContactsError:
    if any(looks_like_phone(name) for name in names):
        message = f"{label}: the first line holds a phone number where column names should stand"
        return ContactsError(message, hint="put a line with the column names first: name,phone")
    return ContactsError(f"{label}: no phone column among {_listed(names)}", hint=_PHONE_HINT)


def _only(wanted: str, free: list[str], label: str) -> int | None:
    """Return the column that means a field best; raises `ContactsError` when several do."""
    found = headings.best(wanted, free)
    if len(found) < 2:  # noqa: PLR2004 — two are too many.
        return found[0] if found else None
    heads = [free[index] for index in found]
    message = f"{label}: {len(heads)} columns may hold the {_SHOWN[wanted]}: {_listed(heads)}"
    option = f'name one: --map "{wanted}={visible(heads[0])}"'
    raise ContactsError(message, hint=option if wanted in FIELDS else "rename one of them")


def _labels(names: list[str], phone: tuple[int, ...]) -> dict[int, int]:
    """Return where it says what the number in a phone column is, as Google exports it."""
    numbers = {headings.label_number(name): index for index, name in enumerate(names)}
    series = ((index, headings.series_number(names[index])) for index in phone)
    return {
        index: numbers[number]
        for index, number in series
        if number is not None and number in numbers
    }


def _name_columns(free: list[str], mapped: dict[str, int], label: str) -> tuple[int, ...]:
    """Return the column of the name, else those of the first and the last name."""
    if "name" in mapped:
        return (mapped["name"],)
    whole = _only("name", free, label)
    if whole is not None:
        return (whole,)
    parts = (_only("first", free, label), _only("last", free, label))
    return tuple(index for index in parts if index is not None)


def _unread_marks(names: list[str], used: set[int]) -> tuple[str, ...]:
    free = (name for index, name in enumerate(names) if index not in used)
    return tuple(name for name in free if headings.may_forbid(name))


def _unread_zones(names: list[str], used: set[int]) -> tuple[str, ...]:
    free = (name for index, name in enumerate(names) if index not in used)
    return tuple(name for name in free if headings.may_be_time_zone(name))


def _variables(names: list[str], used: set[int]) -> tuple[tuple[str, int], ...]:
    """Name the other columns for the agent; a name that is taken gets the column's number."""
    chosen: dict[str, int] = {}
    for index, name in enumerate(names):
        if index in used:
            continue
        key = headings.slug(name) or f"column_{index + 1}"
        chosen[key if key not in chosen else f"{key}_{index + 1}"] = index
    return tuple(chosen.items())
