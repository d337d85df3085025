"""Who types: the name that commands are left under and decisions are logged with."""

import getpass


def operator_name() -> str:
    """Return the name of the user of this process, `operator` when the system knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # A container may run under a number that has no name.
        return "operator"
