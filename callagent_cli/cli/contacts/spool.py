"""People of a file that was not yet read to its end: on disk, in a file that nobody can open.

Nothing of a file may reach the store before all of it is proven, and while it is read nobody else
should wait for the store.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from callagent_cli.calls.model import Call, CallState, Contact
from callagent_cli.errors import StoreError
from callagent_cli.store.text import clean_text

_LENGTH_BYTES: Final = 4
_IN_MEMORY: Final = 1 << 20
_BLOCK: Final = 500
"""Calls that are written at once."""

Kept = tuple[Contact, str]
"""A person, and why they are never dialed; empty when they may be."""

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[Kept])


def call_id(campaign: str, contact: Contact) -> str:
    """Return the id of a person's call in a campaign: the same in every run."""
    identity = f"{campaign}\0{contact.number}\0{contact.extension}"
    return f"call_{hashlib.sha256(identity.encode()).hexdigest()[:16]}"


class CallSpool:
    """Takes people one by one and gives their calls back in lists; closing it removes the file.

    `folder` is where the file is; every method raises `StoreError` when there is no room.
    """

    def __init__(self, campaign: str, folder: Path | None) -> None:
        self._campaign = campaign
        where = None if folder is None else str(folder)
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=where)  # noqa: SIM115 — `close` closes it.
        self._block: list[Kept] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, contact: Contact, left_out: str = "") -> None:
        """Append a person; with `left_out` their call is excluded, for that reason."""
        self._block.append((contact, left_out))
        self._count += 1
        if len(self._block) == _BLOCK:
            self._write()

    def batches(self, size: int) -> Iterator[list[Call]]:
        """Yield all calls in their order, `size` at a time."""
        self._write()
        with _roomy():
            self._file.seek(0)  # Writes what is still in the file's buffer.
        calls: list[Call] = []
        while length := self._file.read(_LENGTH_BYTES):
            data = self._file.read(int.from_bytes(length, "big"))
            calls.extend(map(self._call, _decoder.decode(data)))
            while len(calls) >= size:
                yield calls[:size]
                calls = calls[size:]
        if calls:
            yield calls

    def close(self) -> None:
        """Remove the file; that the last of it found no room is told already."""
        with suppress(OSError):
            self._file.close()

    def _write(self) -> None:
        block, self._block = self._block, []
        try:
            data = _encoder.encode(block)
        except UnicodeEncodeError:
            data = _encoder.encode([(_cleaned(contact), left_out) for contact, left_out in block])
        with _roomy():
            self._file.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)

    def _call(self, kept: Kept) -> Call:
        contact, left_out = kept
        identity = call_id(self._campaign, contact)
        if not left_out:
            return Call(id=identity, campaign=self._campaign, contact=contact)
        return Call(
            id=identity,
            campaign=self._campaign,
            contact=contact,
            state=CallState.EXCLUDED,
            reason=left_out,
        )


@contextmanager
def _roomy() -> Iterator[None]:
    """Raise a `StoreError` when a write finds no room."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"there is no room to keep the contacts: {error.strerror or error}",
            hint="make room beside the database",
        ) from error


def _cleaned(contact: Contact) -> Contact:
    variables = {clean_text(name): clean_text(text) for name, text in contact.variables.items()}
    return msgspec.structs.replace(
        contact,
        name=clean_text(contact.name),
        crm_id=clean_text(contact.crm_id),
        variables=variables,
    )
