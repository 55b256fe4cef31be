"""Makes docs/images/terminal.svg: runs the program in a real terminal (tmux), and has rich draw what that shows.

Needs tmux and the model of the extra [embedded]. Run as `python scripts/terminal_picture.py`.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.ansi import AnsiDecoder
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs/images/terminal.svg"
COMMANDS = ("funasr-cli transcribe samples", "head -n 7 transcripts/railway-station.srt")
COLUMNS, ROWS = 84, 40
PROMPT = "$ "
LIMIT_S = 100.0

TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" class="rich-terminal" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{
  font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-title {{ font: bold 18px sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""Like rich's own, but with the fonts of whoever looks at it: that one fetches fonts from another host."""


class Terminal:
    """A shell in tmux."""

    def __init__(self, folder: Path, path: str) -> None:
        self._tmux = ("tmux", "-f", "/dev/null", "-S", str(folder / "tmux"))
        colours = {"LC_ALL": "C.UTF-8", "COLORTERM": "truecolor"}
        environment = {**os.environ, **colours, "PATH": path, "PYTHONPATH": str(ROOT)}
        size = ("-x", str(COLUMNS), "-y", str(ROWS))
        shell = f"env PS1='{PROMPT}' bash --norc --noprofile -i"
        self._call("new-session", "-d", *size, "-c", str(folder), shell, env=environment)

    def _call(self, *arguments: str, env: dict[str, str] | None = None) -> str:
        return subprocess.run([*self._tmux, *arguments], capture_output=True, text=True, check=True, env=env).stdout

    def screen(self, *options: str) -> str:
        """What the terminal shows, without empty lines at the end."""
        return self._call("capture-pane", "-p", *options).rstrip()

    def enter(self, command: str) -> None:
        """Run a command to its end."""
        self._call("send-keys", "-l", command)
        self._call("send-keys", "Enter")
        self.wait_for_prompt(PROMPT + command)

    def wait_for_prompt(self, earlier: str = "") -> None:
        """Wait for the prompt in the last line, after another text. Raises `TimeoutError`."""
        until = time.monotonic() + LIMIT_S
        while earlier not in (screen := self.screen()) or screen.rpartition("\n")[2] != PROMPT.rstrip():
            if time.monotonic() > until:
                raise TimeoutError(screen)
            time.sleep(0.1)

    def close(self) -> None:
        """End the shell and all that runs in it."""
        self._call("kill-server")


def shown() -> str:
    """The terminal after the commands, with its colours as ANSI codes."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "samples", folder / "samples")
        (folder / "bin").mkdir()
        program = folder / "bin/funasr-cli"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m funasr_cli "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        terminal = Terminal(folder, f"{program.parent}:{os.environ['PATH']}")
        try:
            terminal.wait_for_prompt()
            for command in COMMANDS:
                terminal.enter(command)
            return terminal.screen("-e")
        finally:
            terminal.close()


def drawn(screen: str) -> str:
    """The picture, as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in AnsiDecoder().decode(screen):
        console.print(line, soft_wrap=True)
    return console.export_svg(title="funasr-cli", code_format=TEMPLATE, unique_id="t")


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(drawn(shown()), encoding="utf-8")
