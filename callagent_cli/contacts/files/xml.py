"""XML parsed in pieces, with a limit to everything that a hostile document could make grow."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple
from xml.parsers.expat import ParserCreate

if TYPE_CHECKING:
    from pyexpat import XMLParserType

_CHUNK: Final = 1 << 16
_TOKEN_MAX: Final = 8 << 20
DEPTH_MAX: Final = 64
"""Elements are nested deeper in no workbook; a parser remembers each."""


class Element(NamedTuple):
    """The start of an element: names without their namespaces, `parent` empty for the root."""

    parent: str
    name: str
    attributes: dict[str, str]


def parser_of() -> "XMLParserType":
    """Return a parser that writes names as `namespace name` and refuses a document type.

    Without a document type there are no entities, and so no "billion laughs" (CWE-776).
    """
    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def feed(parser: "XMLParserType", file: BinaryIO) -> Iterator[None]:
    """Parse a file, pausing after each piece of it.

    Raises expat's error, or `ValueError` for a tag so long that only an attack has one: a parser
    keeps a tag in memory until its end.
    """
    fed = 0
    while chunk := file.read(_CHUNK):
        parser.Parse(chunk, False)  # noqa: FBT003 — expat takes no keyword.
        fed += len(chunk)
        if fed - parser.CurrentByteIndex > _TOKEN_MAX:
            raise ValueError("a tag without an end")
        yield
    parser.Parse(b"", True)  # noqa: FBT003 — as above.
    yield


def local(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition(" ")[2]


def names_beside(root: str, *names: str) -> tuple[str, ...]:
    """Return names in the namespace of the root, which is one of two in a workbook."""
    namespace, space, _ = root.rpartition(" ")
    return tuple(namespace + space + name for name in names)


def elements(file: BinaryIO) -> Iterator[Element]:
    """Yield the start of every element; raises what `feed` raises."""
    path = [""]
    ready: list[Element] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(path) > DEPTH_MAX:
            raise ValueError("elements are nested too deep")
        named = {local(key): value for key, value in attributes.items()}
        ready.append(Element(path[-1], local(name), named))
        path.append(local(name))

    def end(_name: str) -> None:
        path.pop()

    parser = parser_of()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    for _ in feed(parser, file):
        yield from ready
        ready.clear()


def _refuse_doctype(*_: object) -> None:
    raise ValueError("a document type, which no workbook has")
