"""The folder a campaign is worked in: which database, which lock, whose run is going on."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from callagent_cli.cli.place.dotenv import apply_dotenv
from callagent_cli.cli.text.known_secrets import settings_in_use
from callagent_cli.errors import UsageError
from callagent_cli.settings import Settings
from callagent_cli.settings_file import load_settings
from callagent_cli.store.failures import is_there
from callagent_cli.store.sqlite_store import SqliteStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """Where everything of one mode lies: what the sandbox has called, nobody has called."""

    settings: Settings
    state_dir: Path
    logs_dir: Path

    @property
    def sandbox(self) -> bool:
        """Whether no phone rings here."""
        return self.settings.mode == "sandbox"

    @property
    def keeps_windows(self) -> bool:
        """Whether people are called in a window of their own time zone: live, and where it is set.

        In the sandbox the window is open unless set.
        """
        return not self.sandbox or self.settings.dialing.window is not None

    @property
    def database(self) -> Path:
        """The database of this mode."""
        return self.state_dir / f"{self.settings.mode}.db"

    @property
    def was_used(self) -> bool:
        """Whether anything was ever run here; raises `StoreError` when that cannot be seen."""
        return is_there(self.database)

    @property
    def lock(self) -> Path:
        """The lock file of this mode's worker."""
        return self.state_dir / f"{self.settings.mode}.lock"

    @property
    def label(self) -> str:
        """The word that every output of the sandbox carries."""
        return "SANDBOX" if self.sandbox else ""

    def title(self, text: str) -> str:
        """Return a line as people see it, with the label before it."""
        return f"{self.label} {text}" if self.label else text

    def read_store(self) -> SqliteStore:
        """Open the database to look at; raises `UsageError` when nothing was ever run."""
        if not self.was_used:
            raise UsageError(
                f"nothing has been run in `{self.state_dir}` yet",
                hint="start with `callagent run contacts.csv`",
            )
        return SqliteStore.open(self.database, read_only=True)

    def write_store(self, *, patience_s: float | None = None) -> SqliteStore:
        """Open the database to leave a command in; raises `UsageError` when there is none.

        `patience_s` is how long to wait for another process that writes.
        """
        self.read_store().close()
        return SqliteStore.open(self.database, patience_s=patience_s)


def workplace(config: Path | None, environ: Mapping[str, str]) -> Workplace:
    """Return the workplace that the settings describe; raises `SettingsError`.

    The process's environment takes up what `.env` adds to it.
    """
    if isinstance(environ, MutableMapping):
        apply_dotenv(environ)
    settings = load_settings(config, environ)
    settings_in_use(settings)
    return Workplace(
        settings=settings,
        state_dir=Path(settings.state_dir),
        logs_dir=Path(settings.logs_dir),
    )
