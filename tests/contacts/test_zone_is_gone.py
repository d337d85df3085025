"""A person whose stored time zone this machine does not know is not called, and that is said."""

import json
import sqlite3

from contact_commands import INSTANT, Desk, closed_window, exported
from contact_files import ANN, BOB


def test_an_unknown_zone_cancels_the_call_with_its_name(desk: Desk) -> None:
    """The database may come from a machine with other zones; everybody else is called."""
    late = {"window": closed_window(), "max_dials": 1}
    always = {"window": {"opens": "00:00", "closes": "24:00"}, "max_dials": 1}
    desk.write(json.dumps({**INSTANT, "dialing": late}), "callagent.yaml")
    name = desk.write(f"phone,tz\n{ANN},Europe/Berlin\n{BOB},Europe/Berlin\n")
    desk.say("run", name, "--headless", "--max-wait", "0s")
    database = sqlite3.connect(desk.folder / ".callagent/sandbox.db")
    database.execute("UPDATE calls SET due_utc_s = 0.0")
    database.execute("UPDATE calls SET timezone = 'Mars/Olympus' WHERE number = ?", (ANN,))
    database.commit()
    database.close()
    desk.write(json.dumps({**INSTANT, "dialing": always}), "callagent.yaml")

    assert desk.say("run", name, "--headless").code == 0

    rows = exported(desk.say("export").out)
    assert [row["state"] for row in rows] == ["cancelled", "done"]
    assert "Mars/Olympus" in rows[0]["reason"]
