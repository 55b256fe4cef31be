"""The help on a terminal of 80 columns."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from funasr_cli.cli import cli
from funasr_cli.cli.options import SETTINGS


def help_of(*command: str) -> str:
    return CliRunner().invoke(cli, [*command, "--help"], terminal_width=80).output


GROUPS = [(), *((name,) for name, command in cli.commands.items() if isinstance(command, click.Group))]


@pytest.mark.parametrize("group", GROUPS, ids=" ".join)
def test_no_command_is_told_in_half_a_sentence(group: tuple[str, ...]) -> None:
    assert "..." not in help_of(*group).partition("Commands:")[2]


@pytest.mark.parametrize("command", [("transcribe",), ("config", "show")], ids=" ".join)
def test_each_setting_stands_once_in_its_group(command: tuple[str, ...]) -> None:
    lines = help_of(*command).splitlines()
    titles = [*(f"{title}:" for title in SETTINGS), "Other options:"]
    assert [line for line in lines if line in titles] == titles
    for title, options in SETTINGS.items():
        section = lines[lines.index(f"{title}:") + 1 :]
        told = [line.split()[0].rstrip(",") for line in section[: section.index("")] if line.startswith("  -")]
        assert told == [option.names[0].partition("/")[0] for option in options]


def test_where_something_is_explained_it_is_explained() -> None:
    assert "funasr-cli hotwords check --help" in " ".join(help_of("transcribe").split())
    assert "one word per line, in UTF-8 or GB18030. A weight" in " ".join(help_of("hotwords", "check").split())
    assert "Fun-ASR" not in help_of()
