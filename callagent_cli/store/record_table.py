"""Campaigns, runs, documents, and the commands that people leave for the worker."""

from callagent_cli.store.database import Table
from callagent_cli.store.port import Campaign, Command, RunRow


class RecordTable(Table):
    """The part of the store that keeps everything but calls and dials."""

    def save_campaign(self, campaign: Campaign) -> None:
        """Insert or replace a campaign."""
        self._database.write(
            """
            INSERT INTO campaigns (name, source, source_sha256, created_utc_s)
            VALUES (?, ?, ?, ?)
            ON CONFLICT (name) DO UPDATE SET
                source = excluded.source, source_sha256 = excluded.source_sha256,
                created_utc_s = excluded.created_utc_s
            """,
            (campaign.name, campaign.source, campaign.source_sha256, campaign.created_utc_s),
        )

    def campaign(self, name: str) -> Campaign | None:
        """Return a campaign by name."""
        return next((each for each in self.campaigns() if each.name == name), None)

    def campaigns(self) -> list[Campaign]:
        """Return all campaigns, the latest first."""
        rows = self._database.read(
            "SELECT name, source, source_sha256, created_utc_s FROM campaigns "
            "ORDER BY created_utc_s DESC, name"
        )
        return [
            Campaign(name=row[0], source=row[1], source_sha256=row[2], created_utc_s=row[3])
            for row in rows
        ]

    def put(self, kind: str, key: str, body: bytes, *, open_: bool = True) -> None:
        """Insert or replace a document; a replaced one keeps its place in the order."""
        self._database.write(
            """
            INSERT INTO documents (kind, key, body, open) VALUES (?, ?, ?, ?)
            ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body, open = excluded.open
            """,
            (kind, key, body, open_),
        )

    def get(self, kind: str, key: str) -> bytes | None:
        """Return a document."""
        rows = self._database.read(
            "SELECT body FROM documents WHERE kind = ? AND key = ?", (kind, key)
        )
        return rows[0][0] if rows else None

    def documents(self, kind: str, *, open_only: bool = False) -> list[tuple[str, bytes]]:
        """Return the documents of a kind in the order they were first put."""
        only = "AND open = 1" if open_only else ""
        return self._database.read(
            f"SELECT key, body FROM documents WHERE kind = ? {only} ORDER BY seq",  # noqa: S608 — a constant.
            (kind,),
        )

    def add_command(self, name: str, argument: str, by: str, asked_utc_s: float) -> int:
        """Leave a command for the worker; return its id."""
        cursor = self._database.write(
            "INSERT INTO commands (name, argument, by, asked_utc_s) VALUES (?, ?, ?, ?)",
            (name, argument, by, asked_utc_s),
        )
        return cursor.lastrowid or 0

    def take_commands(self) -> list[Command]:
        """Return the commands not yet taken, oldest first, and mark them taken."""
        rows = self._database.read(
            "SELECT id, name, argument, by, asked_utc_s FROM commands WHERE taken = 0 ORDER BY id"
        )
        commands = [
            Command(id=row[0], name=row[1], argument=row[2], by=row[3], asked_utc_s=row[4])
            for row in rows
        ]
        for command in commands:  # None most of the time, and then nothing is written.
            self._database.write("UPDATE commands SET taken = 1 WHERE id = ?", (command.id,))
        return commands

    def was_taken(self, command: int) -> bool:
        """Return whether a worker has taken a command."""
        rows = self._database.read("SELECT taken FROM commands WHERE id = ?", (command,))
        return bool(rows and rows[0][0])

    def save_run(self, run: RunRow) -> None:
        """Insert or update a run; the heartbeat is a run saved again."""
        self._database.write(
            """
            INSERT INTO runs (
                id, campaign, mode, pid, host, lanes, started_utc_s, heartbeat_utc_s,
                ended_utc_s, exit_code, verdict
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET
                lanes = excluded.lanes, heartbeat_utc_s = excluded.heartbeat_utc_s,
                ended_utc_s = excluded.ended_utc_s, exit_code = excluded.exit_code,
                verdict = excluded.verdict
            """,
            (
                run.id,
                run.campaign,
                run.mode,
                run.pid,
                run.host,
                run.lanes,
                run.started_utc_s,
                run.heartbeat_utc_s,
                run.ended_utc_s,
                run.exit_code,
                run.verdict,
            ),
        )

    def last_run(self, campaign: str = "") -> RunRow | None:
        """Return the run that started last, of one campaign if it is named."""
        rows = self._database.read(
            "SELECT id, campaign, mode, pid, host, lanes, started_utc_s, heartbeat_utc_s, "
            "ended_utc_s, exit_code, verdict FROM runs WHERE ? IN ('', campaign) "
            "ORDER BY started_utc_s DESC, seq DESC LIMIT 1",
            (campaign,),
        )
        if not rows:
            return None
        row = rows[0]
        return RunRow(
            id=row[0],
            campaign=row[1],
            mode=row[2],
            pid=row[3],
            host=row[4],
            lanes=row[5],
            started_utc_s=row[6],
            heartbeat_utc_s=row[7],
            ended_utc_s=row[8],
            exit_code=row[9],
            verdict=row[10],
        )
