"""`funasr-cli completion`, and the completions of option and argument values."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, ShellComplete, ZshComplete

from funasr_cli.models.catalogue import CATALOGUE

COMPLETE_VAR = "_FUNASR_CLI_COMPLETE"
"""The environment variable with which a completion script requests completions."""

PROGRAM = "funasr-cli"

SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def words(source: Callable[[], Iterable[str]], otherwise: str | None = None) -> Completer:
    """Make a completer that offers the words of `source` or, if none matches, paths of type `otherwise`.

    `otherwise` is "file", "dir" or None.
    """

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

    Install it with one of these commands, then open a new shell. The script keeps working after upgrades.

    \b
    funasr-cli completion bash > ~/.funasr-cli.bash && echo '. ~/.funasr-cli.bash' >> ~/.bashrc
    funasr-cli completion zsh > ~/.funasr-cli.zsh && echo '. ~/.funasr-cli.zsh' >> ~/.zshrc
    funasr-cli completion fish > ~/.config/fish/completions/funasr-cli.fish

    In ~/.zshrc the line must come after compinit. funasr-cli has to be on the PATH. Needs bash 4.4 or later.
    """
    script = SHELLS[shell](context.find_root().command, {}, PROGRAM, COMPLETE_VAR).source()
    click.echo(script, nl=False)
