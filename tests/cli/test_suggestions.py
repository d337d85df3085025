"""A mistyped name is answered with the nearest that exists."""

from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.suggestions import did_you_mean


def test_the_nearest_name_is_suggested() -> None:
    """A slip of the finger, of case or of the hyphen finds the name that was meant."""
    known = ["elevenlabs-503", "llm-timeout"]

    assert did_you_mean("elevnlabs-503", known) == "elevenlabs-503"
    assert did_you_mean("LLM_TIMEOUT", known) == "llm-timeout"
    assert did_you_mean("zzz", known) is None


def test_a_hint_names_the_nearest_and_where_to_find_all() -> None:
    """With nothing near, the hint only says where all names are listed."""
    assert hint_for("rnu", ["run"], otherwise="see help") == "did you mean `run`? see help"
    assert hint_for("zzz", ["run"], otherwise="see help") == "see help"
