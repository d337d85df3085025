"""What stands between a typed command and a ringing phone."""

from pathlib import Path

import pytest

from callagent_cli.calls.model import Call, CallState, Contact
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.cli.run.live_checks import confirm_live
from callagent_cli.cli.text import diagnostics
from callagent_cli.errors import UsageError
from callagent_cli.settings import ElevenLabs, Services, Settings
from callagent_cli.store.port import Campaign
from callagent_cli.store.sqlite_store import SqliteStore

STATES = ("pending", "pending", "scheduled", "done", "failed", "review", "excluded", "cancelled")
LIVE = Settings(
    mode="live", services=Services(elevenlabs=ElevenLabs(agent_phone_number_id="phnum_7"))
)


def _begin(folder: Path, *, mode: Settings = LIVE, assume_yes: bool = False) -> None:
    """Ask before a campaign begins that has a call in each of `STATES`."""
    place = Workplace(settings=mode, state_dir=folder, logs_dir=folder)
    store = SqliteStore.open(None)
    try:
        store.save_campaign(
            Campaign(name="spring", source="x.csv", source_sha256="", created_utc_s=0.0)
        )
        store.add_calls(
            Call(
                id=f"call_{line}",
                campaign="spring",
                contact=Contact(line=line, number=f"+12125550{100 + line}"),
                state=CallState(state),
            )
            for line, state in enumerate(STATES)
        )
        store.flush()
        confirm_live(place, store, "spring", assume_yes=assume_yes)
    finally:
        store.close()


def test_only_people_whose_phone_may_ring_are_counted(tmp_path: Path) -> None:
    """With nobody to ask, the refusal names them, the campaign and the caller."""
    with pytest.raises(UsageError) as refused:
        _begin(tmp_path)

    assert refused.value.message == (
        "this would call 3 real people of campaign spring, from phnum_7"
    )
    assert "--yes" in refused.value.hint


@pytest.mark.parametrize("typed", ["", "yes", "Spring"])
def test_any_other_word_than_the_campaign_calls_nobody(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the campaign's own name, as it is written, begins."""
    monkeypatch.setattr(diagnostics, "asked", lambda _question: typed)

    with pytest.raises(UsageError, match="nobody was called"):
        _begin(tmp_path)


def test_the_name_of_the_campaign_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question names what is about to happen."""
    questions: list[str] = []

    def asked(question: str) -> str:
        questions.append(question)
        return "spring"

    monkeypatch.setattr(diagnostics, "asked", asked)
    _begin(tmp_path)

    assert "This calls 3 real people of campaign spring, from phnum_7." in questions[0]


def test_neither_yes_nor_the_sandbox_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--yes` is the answer, and in the sandbox no phone rings."""
    monkeypatch.setattr(diagnostics, "asked", lambda _question: pytest.fail("nobody asks"))
    _begin(tmp_path, assume_yes=True)
    _begin(tmp_path, mode=Settings())
