"""`portal lint FILE`: lines or JSON, an exit status, and one clear line for what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from trustportal.cli import portal

FAULTY = """Kite flying policy

1. Wind

1.1 Pilots keep to the Data Protection Act 1998.

1.2 Ask your line manger.
"""
FINE = """Kite flying policy

Person responsible: Kite lead
Approving body: Trust board
Approved on: 1 May 2026
Next review: 1 May 2027
Review period: Every year

1. Wind

1.1 Pilots hold the line.
"""


def run(tmp_path: Path, content: str | bytes, *options: str) -> Result:
    file = tmp_path / "kites.txt"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return CliRunner().invoke(portal, ["lint", str(file), "--on", "2026-09-01", *options])


def test_findings_as_lines(tmp_path: Path) -> None:
    result = run(tmp_path, FAULTY)
    assert result.exit_code == 1
    assert "error L12 Superseded legislation" in result.output
    assert "clause 1 (1.1) “Data Protection Act 1998”" in result.output
    assert "warning L30" in result.output
    assert result.output.index("error L12") < result.output.index("warning L30")


def test_findings_as_json(tmp_path: Path) -> None:
    result = run(tmp_path, FAULTY, "--json")
    report = json.loads(result.output)
    (law,) = [one for one in report["findings"] if one["rule"] == "L12"]
    assert law["clause"] == 1
    assert law["severity"] == "error"
    assert law["deterministic"] is True
    assert law["record"] == "data-protection-act-1998"
    assert (law["part"], law["start"], law["length"]) == ("text", 19, 24)


def test_a_fine_policy_ends_with_success(tmp_path: Path) -> None:
    result = run(tmp_path, FINE)
    assert result.exit_code == 0, result.output
    assert result.output == "Kite flying policy: 0 errors, 0 warnings, 0 pieces of information.\n"


def test_the_flag_about_safeguarding_can_be_set(tmp_path: Path) -> None:
    assert "L38" not in run(tmp_path, FINE).output
    assert "L38" in run(tmp_path, FINE, "--safeguarding").output


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04\x00\x00", b"\x00\x01"])
def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    result = run(tmp_path, content)
    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert result.output.startswith("kites.txt: ")


def test_a_file_that_is_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    result = CliRunner().invoke(portal, ["lint", str(tmp_path / "none.txt")])
    assert result.exit_code == 2
    assert result.output == "none.txt: No such file or directory.\n"
