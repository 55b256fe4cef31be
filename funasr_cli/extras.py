"""How an extra of this program is installed, from where the program itself was."""

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
    """The command, for this very Python. From wheels, the user alone knows in which folder they are."""
    pip = f"{quote(sys.executable)} -m pip install"
    checkout = _checkout()
    if checkout is not None:
        return f"{pip} {quote(f'{checkout}[{extra}]')}"
    return f"{pip} --find-links FOLDER_OF_WHEELS '{NAME}[{extra}]'"


def need(extra: str, *modules: str) -> None:
    """Raise `MachineError` unless the modules of an extra are installed."""
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        what = f"this needs the extra [{extra}], of which is not installed: {', '.join(missing)}"
        raise MachineError(what, hint=how_to_install(extra))


def _checkout() -> Path | None:
    """The source tree that this program runs in, or was installed from, if it is still there."""
    from importlib.metadata import PackageNotFoundError, distribution  # --help can do without

    here = [Path(__file__).resolve().parent.parent]
    with suppress(PackageNotFoundError, ValueError, KeyError, TypeError):
        origin = json.loads(distribution(NAME).read_text("direct_url.json") or "{}")  # PEP 610, as pip leaves it
        here.append(Path(unquote(urlsplit(origin["url"]).path)))
    return next((folder for folder in here if (folder / "setup.cfg").is_file()), None)
