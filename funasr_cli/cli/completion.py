"""`funasr-cli completion`, and what shells offer for the values of options and arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

from funasr_cli.models.catalogue import CATALOGUE

COMPLETE_VAR = "_FUNASR_CLI_COMPLETE"
"""The variable by which a completion script tells the program what it wants."""

PROGRAM = "funasr-cli"

SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def words(source: Callable[[], Iterable[str]], otherwise: str | None = None) -> Completer:
    """Offers the words of `source`; if none fits, what the shell does for a `file` or `dir`."""

    def complete(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
        fitting = [CompletionItem(word) for word in source() if word.startswith(typed)]
        return fitting or ([CompletionItem(typed, type=otherwise)] if otherwise else [])

    return complete


FILES = words(tuple, otherwise="file")
FOLDERS = words(tuple, otherwise="dir")
MODEL_NAMES = words(lambda: CATALOGUE)
MODELS = words(lambda: CATALOGUE, otherwise="file")


@click.command(short_help="Print a completion script for your shell.")
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that completes commands, options, models and lists in your shell.

    Install it with one of these commands, and open a new shell. Upgrades of funasr-cli need no new script.

    \b
    funasr-cli completion bash > ~/.funasr-cli.bash && echo '. ~/.funasr-cli.bash' >> ~/.bashrc
    funasr-cli completion zsh > ~/.funasr-cli.zsh && echo '. ~/.funasr-cli.zsh' >> ~/.zshrc
    funasr-cli completion fish > ~/.config/fish/completions/funasr-cli.fish

    In ~/.zshrc the line must come after compinit. The shell has to find funasr-cli on its PATH. bash 4.4 or later.
    """
    script = SHELLS[shell](context.find_root().command, {}, PROGRAM, COMPLETE_VAR).source()
    click.echo(script, nl=False)
