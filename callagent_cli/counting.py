"""Numbers of things as people read them: `1 call`, `12,345 calls`."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun; `plural` is what an `s` behind the noun does not make."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
