"""The files around the code say what is true: versions, licenses, samples, reasons."""

import ast
import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

import phonenumbers
import pytest
from source_tree import ROOT, files_of_tests, package_files, parsed, pyproject, where

from callagent_cli import __version__

FICTION: Final = re.compile(r"\+12125550(1\d\d)|\+442079460\d{3}")
"""Numbers reserved for fiction: +1 212 555 0100–0199 and +44 20 7946 0000–0999."""

DISTRIBUTIONS: Final = {"google": "gspread", "requests": "gspread", "yaml": "pyyaml"}
"""Import name → what it comes with; gspread hands out types of google-auth and requests."""

REGISTRY: Final = re.compile(
    r"--(?:extra-)?index-url|--find-links|--hash|-f http|file://|pythonhosted|pypi\.|/simple/?\b"
)


def _section(name: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of one table of pyproject.toml."""
    inside = False
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        if line.startswith("["):
            inside = line == f"[{name}]"
        elif inside:
            yield number, line.strip()


def test_every_ignored_rule_has_a_reason() -> None:
    """Each rule that ruff ignores stands on a line of its own with a sentence why."""
    sections = ("tool.ruff.lint", "tool.ruff.lint.per-file-ignores")
    rules = [
        (number, line)
        for section in sections
        for number, line in _section(section)
        if re.match(r'"[A-Z]+\d+"', line)
    ]

    offenders = [
        f"pyproject.toml:{number} {line}"
        for number, line in rules
        if not re.search(r'"[A-Z]+\d+",?\s+# \S.+\.$', line)
    ]

    assert rules
    assert not offenders, "\n".join(offenders)


def _bare_suppressions(path: Path) -> Iterator[str]:
    """Yield the `noqa` comments without a rule, or with one that the file gives no reason for."""
    text = path.read_text(encoding="utf-8")
    explained = {
        code
        for codes in re.findall(r"# noqa: ([A-Z][\w, ]*) — \S", text)
        for code in re.split(r"[, ]+", codes)
    }
    for number, line in enumerate(text.splitlines(), 1):
        found = re.search(r"#\s*noqa(?:: ([A-Z][A-Z\d, ]*))?", line)
        if found and not set(re.split(r"[, ]+", (found[1] or "-").strip())) <= explained:
            yield f"{where(path)}:{number} {line.strip()}"


def test_every_suppressed_finding_has_a_reason() -> None:
    """Each `noqa` names its rules, and the file says for each of them once why."""
    offenders = [
        offender
        for path in (*package_files(), *files_of_tests())
        if path != Path(__file__)
        for offender in _bare_suppressions(path)
    ]

    assert not offenders, "\n".join(offenders)


def test_the_changelog_knows_the_version() -> None:
    """The newest version in the changelog is the package's."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", changelog, re.MULTILINE)

    assert __version__ == versions[0]


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins}


def test_every_dependency_is_pinned() -> None:
    """Each dependency, of the runtime and of the tests, has an exact version in constraints.txt."""
    project = pyproject()["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = [re.split(r"[<>=!~ ;\[]", line)[0].lower() for line in wanted]

    assert [name for name in names if name not in _pins()] == []


def _imported(path: Path) -> Iterator[str]:
    """Yield the top-level names a file imports from outside the package and the library."""
    for node in ast.walk(parsed(path)):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [node.module]
        yield from (
            module.partition(".")[0]
            for module in modules
            if module.partition(".")[0] not in {*sys.stdlib_module_names, "callagent_cli"}
        )


def test_every_import_is_a_declared_dependency() -> None:
    """The package imports nothing that only happens to be installed."""
    wanted = pyproject()["project"]["dependencies"]
    declared = {re.split(r"[<>=!~ ;\[]", line)[0].lower() for line in wanted}

    offenders = [
        f"{where(path)} {name}"
        for path in package_files()
        for name in _imported(path)
        if DISTRIBUTIONS.get(name, name) not in declared
    ]

    assert not offenders, "\n".join(offenders)


@pytest.mark.parametrize(
    "name", ["constraints.txt", "pyproject.toml", "README.md", "ARCHITECTURE.md", ".ci/run"]
)
def test_no_file_names_a_package_registry(name: str) -> None:
    """Where packages come from is the machine's business: no address, hash or option says it."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if REGISTRY.search(line)] == []


def test_the_script_at_the_top_is_five_lines() -> None:
    """`main.py` has at most five statements' lines: everything else is the package."""
    tree = ast.parse((ROOT / "main.py").read_text(encoding="utf-8"))
    code = [node for node in tree.body if not isinstance(node, ast.Expr) or _calls(node)]

    assert sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in code) <= 5


def _calls(node: ast.Expr) -> bool:
    return isinstance(node.value, ast.Call)


def test_the_license_is_the_one_declared() -> None:
    """LICENSE holds the license that pyproject.toml names."""
    assert pyproject()["project"]["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


def _sample() -> list[dict[str, str]]:
    with (ROOT / "contacts.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_the_sample_has_twelve_different_people() -> None:
    """The sample contacts are twelve, each with a name and a number of their own."""
    rows = _sample()

    assert len(rows) == 12
    assert len({row["name"] for row in rows}) == 12
    assert len({row["phone"] for row in rows}) == 12


def test_no_sample_number_belongs_to_anybody() -> None:
    """Each sample number is formally valid and reserved for fiction."""
    for row in _sample():
        number = phonenumbers.parse(row["phone"])
        text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

        assert phonenumbers.is_valid_number(number), row
        assert FICTION.fullmatch(text), row


def test_every_sample_time_zone_exists() -> None:
    """Each sample contact has an IANA time zone."""
    zones = available_timezones()

    assert [row for row in _sample() if row["timezone"] not in zones] == []
