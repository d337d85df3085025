"""The parts of a workbook: which of the archive's members is which, and each one opened.

The ways between the parts are those of ECMA-376, part 2 (relationships).
"""

import posixpath
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

from callagent_cli.contacts.files.xml import elements

_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""All that a package may use; others may ask for gigabytes before the first byte."""

_FREE_BYTES: Final = 64 << 20
_RATIO_MAX: Final = 200
"""A part beyond the free size that is packed tighter than this is a zip bomb.

Rows and texts, which count on, never come near it (Apache POI draws the line at 100).
"""


class Package:
    """The archive of a workbook. Raises `KeyError` for a part that is missing."""

    def __init__(self, file: BinaryIO) -> None:
        self._archive = zipfile.ZipFile(file)
        # Names are compared without regard to case, and some writers use backslashes.
        self._members = {
            info.filename.replace("\\", "/").lower(): info for info in self._archive.infolist()
        }

    @contextmanager
    def open(self, part: str) -> Iterator[BinaryIO]:
        """Yield the bytes of a part; raises `ValueError` for a zip bomb."""
        member = self._members[part.lower()]
        if member.compress_type not in _METHODS:
            raise ValueError(f"compression method {member.compress_type}")
        packed = max(1, member.compress_size)
        if member.file_size > _FREE_BYTES and member.file_size > _RATIO_MAX * packed:
            raise ValueError(f"{member.file_size} bytes out of {packed}")
        with self._archive.open(member) as file:
            yield cast("BinaryIO", file)

    def related(self, part: str = "") -> dict[str, tuple[str, str]]:
        """Return by id the kind and the name of each part that a part, or the package, names."""
        folder, name = posixpath.split(part)
        related: dict[str, tuple[str, str]] = {}
        with self.open(posixpath.join(folder, "_rels", f"{name}.rels")) as file:
            for element in elements(file):
                attributes = element.attributes
                if element.name != "Relationship" or attributes.get("TargetMode") == "External":
                    continue
                kind = posixpath.basename(attributes["Type"])
                target = posixpath.normpath(posixpath.join("/", folder, attributes["Target"]))
                related[attributes["Id"]] = (kind, target.lstrip("/"))
        return related

    def close(self) -> None:
        """Release the archive; the file itself is the caller's."""
        self._archive.close()
