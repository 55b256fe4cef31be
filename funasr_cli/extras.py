"""How to install an optional extra of this program, from the source the program itself came from."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from urllib.parse import unquote, urlsplit

from funasr_cli.errors import MachineError

NAME = "funasr-cli"


def how_to_install(extra: str) -> str:
    """The pip command for the running Python. For wheels, the user has to fill in their folder."""
    pip = f"{quote(sys.executable)} -m pip install"
    checkout = _checkout()
    if checkout is not None:
        return f"{pip} {quote(f'{checkout}[{extra}]')}"
    return f"{pip} --find-links FOLDER_OF_WHEELS '{NAME}[{extra}]'"


def need(extra: str, *modules: str) -> None:
    """Raise `MachineError` unless the modules of an extra are installed."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        what = f"this command needs the extra [{extra}]; not installed: {', '.join(missing)}"
        raise MachineError(what, hint=how_to_install(extra))


def _checkout() -> Path | None:
    """The source tree that this program runs from or was installed from, if it still exists."""
    from importlib.metadata import PackageNotFoundError, distribution  # not needed for --help

    here = [Path(__file__).resolve().parent.parent]
    with suppress(PackageNotFoundError, ValueError, KeyError, TypeError):
        origin = json.loads(distribution(NAME).read_text("direct_url.json") or "{}")  # PEP 610, written by pip
        here.append(Path(unquote(urlsplit(origin["url"]).path)))
    return next((folder for folder in here if (folder / "setup.cfg").is_file()), None)
