"""Completion in real shells, at a terminal."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from funasr_cli.cli import cli
from funasr_cli.cli.completion import COMPLETE_VAR
from tests.conftest import ROOT

pytestmark = pytest.mark.process

SHELLS = {
    "bash": ("bash", "--norc", "--noprofile", "-i"),
    "zsh": ("zsh", "-f", "-i"),
    "fish": ("fish", "--no-config", "-i"),
}

BEFORE = {"zsh": "autoload -Uz compinit; compinit -u -D; "}
"""What has to be done before the script is read."""

PROGRAM = """#!/bin/sh
if [ -n "${COMPLETE_VAR}" ]; then exec "{python}" -m funasr_cli "$@"; fi
printf 'ran'; printf '<%s>' "$@"; echo '.'
"""
"""Completes as the real program does. Otherwise it prints the arguments that it got."""

LIMIT_S = 60.0


class Shell:
    """An interactive shell at a terminal."""

    def __init__(self, name: str, folder: Path) -> None:
        program = folder / "bin/funasr-cli"
        program.parent.mkdir()
        program.write_text(PROGRAM.replace("COMPLETE_VAR", COMPLETE_VAR).replace("{python}", sys.executable))
        program.chmod(0o755)
        self._name, self._script = name, folder / f"script.{name}"
        self._script.write_text(CliRunner().invoke(cli, ["completion", name]).output)
        self._terminal, end = pty.openpty()
        home = {"HOME": str(folder), "ZDOTDIR": str(folder), "INPUTRC": os.devnull, "TERM": "dumb"}
        path = f"{program.parent}:{os.environ['PATH']}"
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *SHELLS[name]],  # without a terminal of its own fish does not run
            stdin=end,
            stdout=end,
            stderr=end,
            cwd=folder,
            env={**os.environ, **home, "PYTHONPATH": str(ROOT), "PATH": path},
        )
        os.close(end)
        self._seen = ""

    def read_script(self) -> None:
        """As the shell's own start-up file does it."""
        self._ask(f"{BEFORE.get(self._name, '')}. {self._script}; printf 'ready%s' .", "ready.")

    def completed(self, typed: str) -> str:
        """The arguments that the program gets if a line with it is typed, then Tab and Enter."""
        said = self._ask(f"funasr-cli {typed}\t", ">.")
        return said.rpartition("ran<")[2].partition(">.")[0].replace("><", " ")

    def _ask(self, line: str, answer: str) -> str:
        self._seen = ""
        os.write(self._terminal, f"{line}\n".encode())
        until = time.monotonic() + LIMIT_S
        while answer not in self._seen:
            assert select.select([self._terminal], [], [], max(0.0, until - time.monotonic()))[0], self._seen
            self._seen += os.read(self._terminal, 4096).decode(errors="replace")
        return self._seen

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    if not shutil.which(request.param):
        pytest.skip(f"needs {request.param}")
    shell = Shell(request.param, tmp_path)
    try:
        shell.read_script()
        yield shell
    finally:
        shell.close()


def test_a_shell_completes_commands_options_values_and_files(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "meetings.d").mkdir()
    (tmp_path / "council.wav").touch()
    assert shell.completed("tr") == "transcribe"
    assert shell.completed("models ver") == "models verify"
    assert shell.completed("transcribe --verif") == "transcribe --verify-content"
    assert shell.completed("transcribe --script tai") == "transcribe --script taiwan"
    assert shell.completed("transcribe --model sensevoice-small-") == "transcribe --model sensevoice-small-int8"
    assert shell.completed("transcribe --hotwords te") == "transcribe --hotwords tech"
    assert shell.completed("transcribe --language yu") == "transcribe --language yue"
    assert shell.completed("transcribe coun") == "transcribe council.wav"
    assert shell.completed("transcribe -o meet").rstrip("/") == "transcribe -o meetings.d"


def offered(*arguments: str) -> list[str]:
    """The values for the last of these arguments."""
    words = {"COMP_WORDS": " ".join(["funasr-cli", *arguments]), "COMP_CWORD": str(len(arguments))}
    result = CliRunner().invoke(cli, [], env={**words, COMPLETE_VAR: "bash_complete"}, complete_var=COMPLETE_VAR)
    return [line.partition(",")[2] for line in result.output.splitlines()]


def test_a_configuration_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("no such key: 1\n")
    assert offered("transcribe", "--config", str(tmp_path / "c.yaml"), "--progress", "p") == ["plain"]


def test_after_a_command_that_does_not_exist_nothing_fails() -> None:
    assert "transcribe" in offered("transcripe", "")


def test_to_complete_loads_neither_numpy_nor_yaml() -> None:
    words = {"COMP_WORDS": "funasr-cli transcribe --model w", "COMP_CWORD": "3", COMPLETE_VAR: "bash_complete"}
    command = [sys.executable, "-X", "importtime", "-m", "funasr_cli"]
    done = subprocess.run(command, env={**os.environ, **words}, capture_output=True, text=True, check=True)
    assert "plain,whisper-base" in done.stdout
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert "click" in loaded
    assert not loaded & {"numpy", "onnxruntime", "ctranslate2", "rich", "yaml"}
