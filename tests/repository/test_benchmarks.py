"""The benchmarks run, and write down what they have measured; what that is, is not tested."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.cases import CASES
from benchmarks.contestants import EXTENSIONS, NO_TRIGGER, WRITERS
from benchmarks.errors import BenchmarkError

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from benchmarks.arena import Arena
    from benchmarks.measurement import Comparison


def test_the_list_tells_every_case() -> None:
    listed = CliRunner().invoke(main, ["--list"]).stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(CASES)
    assert all(len(line.split()) > 5 for line in listed)


def test_cases_are_measured_and_written_down(tmp_path: Path) -> None:
    numbers, picture = tmp_path / "build" / "numbers.json", tmp_path / "picture.svg"
    done = CliRunner().invoke(
        main,
        [
            *("--quick", "--rounds=1", "--case=reports", "--case=storage", "--markdown"),
            *(f"--json={numbers}", f"--svg={picture}"),
        ],
    )
    assert done.exit_code == 0, done.output
    assert "| reports: a year by day of 5 000 events | rollups / raw events |" in done.stdout
    assert f"written: {picture}" in done.stderr
    results = json.loads(numbers.read_text())["results"]
    assert {one["case"] for one in results} == {"reports", "storage"}
    texts = {one.text for one in ElementTree.parse(picture).iter() if one.text}
    assert texts > {one["contestant"] for one in results}


def test_contestants_that_are_here_count_right_and_the_others_are_skipped(
    tmp_path: Path,
) -> None:
    file = tmp_path / "numbers.json"
    done = CliRunner().invoke(
        main, ["--quick", "--rounds=1", "--case=wal", "--case=growth", f"--json={file}"]
    )
    assert done.exit_code == 0, done.output
    assert "skipped: pg_ivm: pg_ivm is not installed on this server" in done.stdout
    written = json.loads(file.read_text())
    assert written["skipped"].keys() >= {one.name for one in EXTENSIONS}
    here = {one.name for one in WRITERS} - {NO_TRIGGER.name} - written["skipped"].keys()
    assert {one["contestant"] for one in written["results"]} > here


def test_a_case_that_fails_is_told_and_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Arena) -> list[Comparison]:
        raise BenchmarkError("no contestant counts right")

    monkeypatch.setitem(CASES, "storage", replace(CASES["storage"], run=fail))
    done = CliRunner().invoke(main, ["--quick", "--case=storage"])
    assert done.exit_code == 1
    assert "failed: storage: no contestant counts right" in done.stdout
