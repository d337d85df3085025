"""What to do about an answer that no channel has words of its own for."""


def common_fix(status: int, setting: str) -> str:
    """Return the way out that a status names; `setting` is where the address stands."""
    if 300 <= status < 400:  # noqa: PLR2004 — the range that HTTP calls redirects.
        return f"the receiver sends elsewhere; correct `{setting}`"
    if status in {404, 405, 410}:
        return f"nothing takes alerts at this address; correct `{setting}`"
    if status in {400, 413, 422}:
        return "the receiver does not take this alert; the other channels have it"
    if status == 429:  # noqa: PLR2004 — Too Many Requests.
        return "the receiver asks for time; it is tried again by itself"
    if status >= 500:  # noqa: PLR2004 — the receiver's own fault.
        return "the receiver is in trouble; it is tried again by itself"
    return ""
