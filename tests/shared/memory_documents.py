"""Documents that live as long as the test that made them."""


class MemoryDocuments:
    """Documents as the store keeps them, without a file."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], tuple[bytes, bool]] = {}

    def put(self, kind: str, key: str, body: bytes, *, open_: bool = True) -> None:
        """Insert or replace a document."""
        self.kept[kind, key] = (body, open_)

    def get(self, kind: str, key: str) -> bytes | None:
        """Return a document."""
        found = self.kept.get((kind, key))
        return found[0] if found else None

    def documents(self, kind: str, *, open_only: bool = False) -> list[tuple[str, bytes]]:
        """Return the documents of a kind in the order they were first put."""
        return [
            (key, body)
            for (of_kind, key), (body, open_) in self.kept.items()
            if of_kind == kind and (open_ or not open_only)
        ]

    def text(self) -> str:
        """Return everything that is kept, to search in."""
        return "\n".join(body.decode() for body, _ in self.kept.values())
