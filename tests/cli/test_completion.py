"""Completion in a real bash, by the script that `completion` prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from generator.registry import load
from tests.support.command import fail, succeed

if TYPE_CHECKING:
    from pathlib import Path

ASK = """
source "$SCRIPT"
spec=$(complete -p reporting-rollups)
[[ $spec == *"-F "* ]] || exit 1
words=${spec#*-F }
COMP_WORDS=(reporting-rollups "$@")
COMP_CWORD=$#
${words%% *} reporting-rollups "${@: -1}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Install the program under its name, and keep the script that bash reads."""
    program = tmp_path / "reporting-rollups"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m generator "$@"\n')
    program.chmod(0o755)
    script = tmp_path / "completion.bash"
    script.write_text(succeed("completion", "bash"))
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "SCRIPT": str(script)}


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (("ver",), ["verify"]),
        (("plan", "--di"), ["--diff"]),
        (("report", "timeseries", "avg_first"), ["avg_first_response_time"]),
        (("report", "summary", ""), [one.name for one in load().dimensions]),
        (("report", "aggregate", "x", "--for", "ag"), ["agent"]),
        (("report", "aggregate", "x", "--format", "j"), ["json"]),
    ],
    ids=lambda one: " ".join(one) or "nothing",
)
def test_bash_completes_commands_options_and_names_of_the_registry(
    typed: tuple[str, ...], offered: list[str], environment: dict[str, str]
) -> None:
    done = subprocess.run(
        ["bash", "-c", ASK, "bash", *typed],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == offered, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_for_the_installed_program(shell: str) -> None:
    said = succeed("completion", shell)
    assert "_REPORTING_ROLLUPS_COMPLETE" in said
    assert "reporting-rollups" in said


def test_a_shell_that_is_not_known_is_an_error() -> None:
    assert "'tcsh' is not one of" in fail("completion", "tcsh")
