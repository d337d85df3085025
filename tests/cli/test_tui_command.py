"""`callagent tui` in a pipe, its pictures, and what it refuses."""

from pathlib import Path
from typing import Final

import pytest
from command_line import callagent, complaint, write_contacts, write_settings

PNG: Final = b"\x89PNG\r\n\x1a\n"


def test_without_a_terminal_it_names_the_other_way(tmp_path: Path) -> None:
    """In a pipe there is no screen: exit 2, and the hint is `status --json`."""
    run = callagent("tui", folder=tmp_path)

    assert (run.returncode, run.stdout) == (2, "")
    assert complaint(run)[1] == "use `callagent status --json`"


def test_a_rehearsal_on_the_screen_needs_a_terminal(tmp_path: Path) -> None:
    """`simulate --tui` in a pipe says so before it runs anything."""
    run = callagent("simulate", "elevenlabs-503", "--tui", folder=tmp_path)

    assert (run.returncode, run.stdout) == (2, "")
    assert "terminal" in complaint(run)[0]


@pytest.mark.parametrize("other", [("--seeds", "3"), ("--json",), ("--compare", "a.yaml")])
def test_the_screen_shows_one_world(tmp_path: Path, other: tuple[str, ...]) -> None:
    """What has no screen is refused beside `--tui`."""
    run = callagent("simulate", "elevenlabs-503", "--tui", *other, folder=tmp_path)

    assert run.returncode == 2
    assert f"`--tui` and `{other[0]}` do not go together" in complaint(run)[0]


def test_a_picture_of_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    """`--screenshot` needs no terminal, and nothing that has run."""
    run = callagent("tui", "--screenshot", "now.svg", "--size", "80x24", folder=tmp_path)
    picture = (tmp_path / "now.svg").read_text(encoding="utf-8")

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "wrote now.svg\n")
    assert "nothing&#160;has&#160;run&#160;yet" in picture
    assert "contacts.csv" in picture
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")
    assert not (tmp_path / ".callagent").exists()


def test_a_picture_of_a_finished_run(tmp_path: Path) -> None:
    """After a run the picture shows its campaign, and no whole number."""
    numbers = write_contacts(tmp_path, 2)
    write_settings(tmp_path, {"sandbox": {"pace": 0}, "dialing": {"max_dials": 1}})
    assert callagent("run", "contacts.csv", folder=tmp_path).returncode == 0
    run = callagent("tui", "--screenshot", "now.svg", folder=tmp_path)
    picture = (tmp_path / "now.svg").read_text(encoding="utf-8")

    assert run.returncode == 0
    assert "DONE" in picture
    assert "SANDBOX" in picture
    assert "2/2" in picture
    assert [number for number in numbers if number in picture] == []


def test_a_png_is_a_png(tmp_path: Path) -> None:
    """With the extra `picture` a PNG is written, larger for a larger screen."""
    pytest.importorskip("resvg_py")
    for size in ("80x24", "120x40"):
        run = callagent("tui", "--screenshot", f"{size}.png", "--size", size, folder=tmp_path)
        assert run.returncode == 0, run.stderr
    small, large = ((tmp_path / f"{size}.png").read_bytes() for size in ("80x24", "120x40"))

    assert small.startswith(PNG)
    assert large.startswith(PNG)
    assert int.from_bytes(small[16:20]) < int.from_bytes(large[16:20])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--screenshot", "now.gif"), "`now.gif` is no picture"),
        (("--screenshot", "now.svg", "--size", "80"), "`80` is no size"),
        (("--screenshot", "now.svg", "--size", "0x5"), "`0x5` is no size"),
        (("--screenshot", "now.svg", "--size", "9999x9999"), "`9999x9999` is no size"),
        (("--screenshot", "no/such/now.svg"), "cannot write `no/such/now.svg`"),
    ],
)
def test_what_cannot_be_pictured_is_said(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    """A wrong name, size or folder is an error with two parts."""
    run = callagent("tui", *arguments, folder=tmp_path)

    assert run.returncode == 2
    assert words in complaint(run)[0]
