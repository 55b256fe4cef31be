"""The live line on a real terminal: stopped, resumed, narrowed, interrupted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import NANO, ROOT
from tests.support.processes import wait_until

RECORDINGS = 2000
"""More than the run finishes before the test ends."""

LIVE = re.compile(r"\d % \d+/\d+ files")


class Terminal:
    """A shell in tmux, 120 columns wide."""

    def __init__(self, folder: Path) -> None:
        self._tmux = ["tmux", "-f", "/dev/null", "-S", str(folder / "tmux")]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PS1": "$ ", "LC_ALL": "C.UTF-8", "TERM": "screen"}
        shell = "bash --norc --noprofile -i"
        self._run("new-session", "-d", "-x", "120", "-y", "40", "-c", str(folder), shell, env=environment)

    def _run(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, check=True, env=env)
        return done.stdout

    def type(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def resize(self, columns: int) -> None:
        self._run("resize-window", "-x", str(columns))

    @property
    def lines(self) -> list[str]:
        return [line for line in self._run("capture-pane", "-p").splitlines() if line]

    @property
    def live(self) -> list[str]:
        return [line for line in self.lines if LIVE.search(line)]

    def wait_for(self, text: str) -> None:
        wait_until(lambda: text in "\n".join(self.lines))

    def close(self) -> None:
        self._run("kill-server")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    if not shutil.which("tmux"):
        pytest.skip("needs tmux")
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.close()


@pytest.mark.slow
def test_the_live_line_leaves_nothing_behind(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(RECORDINGS):
        (tmp_path / "in" / f"{number}.flac").symlink_to(NANO / "words-without-pauses.flac")
    terminal.type(f"{sys.executable} -m funasr_cli transcribe in -o out -f txt --model {NANO}", "Enter")
    wait_until(lambda: len(terminal.live) == 1)
    terminal.type("C-z")
    terminal.wait_for("Stopped")
    assert not terminal.live
    terminal.type("fg", "Enter")
    wait_until(lambda: len(terminal.live) == 1)
    assert "left" in terminal.live[0]
    for columns in (70, 45, 100):
        terminal.resize(columns)
        wait_until(lambda: terminal.lines[-1:] == terminal.live)  # the line is drawn again, and no longer broken
        above = terminal.lines[:-1]
        assert not [line for line in above if re.search(r" left|x, device|\d\.flac", line)]
    terminal.type("C-c")
    terminal.wait_for("interrupted by SIGINT; finished transcripts are kept")
    assert not terminal.live
    assert not any("^C" in line for line in terminal.lines)
