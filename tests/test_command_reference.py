"""docs/commands.md and the man pages say what the help says, on any machine and terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from funasr_cli.cli import cli
from scripts.command_reference import man_pages, markdown, pages
from tests.conftest import ROOT


def test_the_command_reference_is_that_of_the_program() -> None:
    assert (ROOT / "docs/commands.md").read_text(encoding="utf-8") == markdown(), "run `make docs`"


def test_the_man_pages_are_those_of_the_program() -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "man").iterdir()}
    assert found == dict(man_pages()), "run `make man`"


def test_every_command_has_a_page() -> None:
    def count(command: click.Command) -> int:
        return 1 + sum(map(count, command.commands.values() if isinstance(command, click.Group) else ()))

    assert count(cli) == len(man_pages()) == markdown().count("\n## ")


def test_every_option_is_in_its_groups_as_in_the_help() -> None:
    transcribe = next(page for page in pages() if page.name == "funasr-cli transcribe")
    assert next(iter(transcribe.options)) == "Output"
    assert transcribe.options["Output"][0][0] == "-o, --output DIR|-"
    doctor = next(page for page in pages() if page.name == "funasr-cli doctor")
    assert list(doctor.options) == ["Options"]


def test_neither_terminal_nor_machine_matters(tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); from scripts.command_reference import *; "
    code += "print(markdown(), *man_pages().values(), sep='', end='')"
    machine = {"COLUMNS": "30", "HOME": str(tmp_path), "FUNASR_CLI_LANGUAGE": "ja", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", code, ROOT],
        cwd=tmp_path,
        env={**os.environ, **machine},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode() == "".join([markdown(), *man_pages().values()])


def test_what_is_special_in_markdown_is_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "help", "Below ~/*, 0<x; `a*b` and MY_NAME stay.\n\n\b\n*kept*")
    assert "Below \\~/\\*, 0\\<x; `a*b` and MY_NAME stay.\n\n```text\n*kept*\n```" in markdown()


@pytest.mark.skipif(not shutil.which("groff"), reason="needs groff")
def test_man_shows_the_text_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "help", ".leading 'dot' \\ and --dash ~/^ `code`.\n\n\b\n'kept'\n    as is")
    groff = ["groff", "-man", "-Tascii", "-P-c", "-P-b", "-P-u", "-ww"]
    done = subprocess.run(
        groff, input=man_pages()["funasr-cli.1"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    assert "       .leading 'dot' \\ and --dash ~/^ code.\n\n           'kept'\n               as is\n" in done.stdout
