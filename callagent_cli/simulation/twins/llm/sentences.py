"""What the pretended language models write: a greeting that follows from seed and messages."""

import zlib
from typing import Final

import msgspec

_SENTENCES: Final = (
    "Hello, I hope I am not calling at a bad moment.",
    "Good day, do you have two minutes for me?",
    "Hi, thank you for taking this call.",
    "Hello, I am calling about your request.",
    "Good day, it is nice to reach you.",
)
_BYTES_PER_TOKEN: Final = 4


def sentence(seed: int, messages: object) -> str:
    """Return the sentence that these messages get with this seed, whenever they come."""
    checksum = zlib.crc32(msgspec.json.encode(messages), seed & 0xFFFFFFFF)
    return _SENTENCES[checksum % len(_SENTENCES)]


def tokens_in(messages: object) -> int:
    """Return roughly how many tokens something has, at least one."""
    return max(1, len(msgspec.json.encode(messages)) // _BYTES_PER_TOKEN)
