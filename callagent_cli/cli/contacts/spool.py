"""People of a file that was not yet read to its end: on disk, in a file that nobody can open.

Nothing of a file may reach the store before all of it is proven, and while it is read nobody else
should wait for the store.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from callagent_cli.calls.model import Call, CallState, Contact
from callagent_cli.errors import StoreError
from callagent_cli.store.text import clean_text

_LENGTH_BYTES: Final = 4
_IN_MEMORY: Final = 1 << 20


class _Spooled(msgspec.Struct, frozen=True, array_like=True):
    """What tells one imported call from another; `left_out` says why it is never dialed."""

    id: str
    left_out: str | None
    line: int
    number: str
    extension: str
    name: str
    timezone: str
    crm_id: str
    alternate: str
    variables: dict[str, str]


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_Spooled)


class CallSpool:
    """Takes calls one by one and gives them back in lists; closing it removes the file.

    `folder` is where the file is; every method raises `StoreError` when there is no room.
    """

    def __init__(self, campaign: str, folder: Path | None) -> None:
        self._campaign = campaign
        where = None if folder is None else str(folder)
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=where)  # noqa: SIM115 — `close` closes it.
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, call: Call) -> None:
        """Append a call that was never worked."""
        try:
            data = _encoder.encode(_spooled(call))
        except UnicodeEncodeError:
            data = _encoder.encode(_spooled(call.evolve(contact=_cleaned(call.contact))))
        try:
            self._file.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
        except OSError as error:
            raise StoreError(
                f"there is no room to keep the contacts: {error.strerror or error}",
                hint="make room beside the database",
            ) from error
        self._count += 1

    def batches(self, size: int) -> Iterator[list[Call]]:
        """Yield all calls in their order, `size` at a time."""
        self._file.seek(0)
        calls: list[Call] = []
        while length := self._file.read(_LENGTH_BYTES):
            data = self._file.read(int.from_bytes(length, "big"))
            calls.append(self._call(_decoder.decode(data)))
            if len(calls) == size:
                yield calls
                calls = []
        if calls:
            yield calls

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def _call(self, kept: _Spooled) -> Call:
        contact = Contact(
            line=kept.line,
            number=kept.number,
            extension=kept.extension,
            name=kept.name,
            timezone=kept.timezone,
            crm_id=kept.crm_id,
            alternate=kept.alternate,
            variables=kept.variables,
        )
        call = Call(id=kept.id, campaign=self._campaign, contact=contact)
        if kept.left_out is None:
            return call
        return call.evolve(state=CallState.EXCLUDED, reason=kept.left_out)


def _spooled(call: Call) -> _Spooled:
    contact = call.contact
    return _Spooled(
        id=call.id,
        left_out=call.reason if call.state is CallState.EXCLUDED else None,
        line=contact.line,
        number=contact.number,
        extension=contact.extension,
        name=contact.name,
        timezone=contact.timezone,
        crm_id=contact.crm_id,
        alternate=contact.alternate,
        variables=contact.variables,
    )


def _cleaned(contact: Contact) -> Contact:
    variables = {clean_text(name): clean_text(text) for name, text in contact.variables.items()}
    return msgspec.structs.replace(
        contact,
        name=clean_text(contact.name),
        crm_id=clean_text(contact.crm_id),
        variables=variables,
    )
