"""The benchmarks run, and write down what they have measured; what that is, is not tested."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.cases import CASES

if TYPE_CHECKING:
    from pathlib import Path


def test_the_list_tells_every_case() -> None:
    listed = CliRunner().invoke(main, ["--list"]).stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(CASES)
    assert all(len(line.split()) > 5 for line in listed)


def test_a_case_is_measured_and_written_down(tmp_path: Path) -> None:
    file = tmp_path / "numbers.json"
    done = CliRunner().invoke(
        main, ["--quick", "--rounds=1", "--case=reports", "--markdown", f"--json={file}"]
    )
    assert done.exit_code == 0, done.output
    assert "| reports: a year by day of 20 000 events | rollups / raw events |" in done.stdout
    assert json.loads(file.read_text())
