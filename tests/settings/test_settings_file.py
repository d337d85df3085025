"""Settings come from the defaults, then the file, then the environment."""

from pathlib import Path

import pytest

from callagent_cli.errors import SettingsError
from callagent_cli.settings import Credential, Settings
from callagent_cli.settings_file import load_settings, setting_variables


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder without a settings file."""
    monkeypatch.chdir(tmp_path)


def test_without_a_file_the_sandbox_holds() -> None:
    """Nothing set means the defaults, and those call nobody."""
    assert Settings() == load_settings(None, {})
    assert load_settings(None, {}).mode == "sandbox"


def test_the_file_beside_the_command_is_read(tmp_path: Path) -> None:
    """`./callagent.yaml` needs no flag."""
    (tmp_path / "callagent.yaml").write_text("lanes: 9\n", encoding="utf-8")

    assert load_settings(None, {}).lanes == 9


def test_a_variable_overrides_the_file_and_an_empty_one_does_not(tmp_path: Path) -> None:
    """The environment wins where it says something."""
    file = tmp_path / "other.yaml"
    file.write_text("lanes: 9\nmode: live\nrequeue_after_outage: false\n", encoding="utf-8")

    settings = load_settings(
        file,
        {"CALLAGENT_LANES": "2", "CALLAGENT_MODE": " ", "CALLAGENT_REQUEUE_AFTER_OUTAGE": "true"},
    )

    assert (settings.lanes, settings.mode, settings.requeue_after_outage) == (2, "live", True)


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """A path that was given is never silently replaced by the defaults."""
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings(tmp_path / "missing.yaml", {})


def test_wrong_variables_are_named_all_at_once() -> None:
    """The error says which variable, what it must be, and what was meant."""
    with pytest.raises(SettingsError) as caught:
        load_settings(None, {"CALLAGENT_LANES": "many", "CALLAGENT_MODE": "lvie"})

    assert caught.value.message.splitlines() == [
        '`CALLAGENT_MODE` must be one of `live`, `sandbox`, not "lvie"; did you mean `live`?',
        '`CALLAGENT_LANES` must be a whole number ≥ 1 and ≤ 1000, not "many"',
    ]


def test_every_single_value_at_the_top_has_a_variable() -> None:
    """Sections have none: they are too large for a variable."""
    assert setting_variables() == {
        "CALLAGENT_MODE": "mode",
        "CALLAGENT_LANES": "lanes",
        "CALLAGENT_REQUEUE_AFTER_OUTAGE": "requeue_after_outage",
        "CALLAGENT_STATE_DIR": "state_dir",
        "CALLAGENT_LOGS_DIR": "logs_dir",
    }


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf"])
def test_a_secret_is_read_without_what_editors_put_around_it(tmp_path: Path, before: bytes) -> None:
    """Some end the file with a line feed, and some begin it with a byte order mark."""
    path = tmp_path / "key"
    path.write_bytes(before + b"sk_test_0123456789\r\n")

    assert Credential(file=str(path)).read({}) == "sk_test_0123456789"
