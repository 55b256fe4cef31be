"""The command that installs an extra works from where the program was installed."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from funasr_cli import extras
from funasr_cli.extras import how_to_install


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the program in a site-packages, from the folder that is returned."""
    monkeypatch.setattr(extras, "__file__", str(tmp_path / "site-packages/funasr_cli/extras.py"))
    checkout = tmp_path / "my checkout"
    checkout.mkdir()
    (checkout / "setup.cfg").touch()
    return checkout


def comes_from(monkeypatch: pytest.MonkeyPatch, url: str | None) -> None:
    text = None if url is None else json.dumps({"url": url, "dir_info": {}})
    monkeypatch.setattr("importlib.metadata.distribution", lambda _: SimpleNamespace(read_text=lambda _: text))


def test_in_a_checkout_it_names_the_checkout() -> None:
    checkout = Path(__file__).resolve().parent.parent
    assert shlex.split(how_to_install("freeze")) == [sys.executable, "-m", "pip", "install", f"{checkout}[freeze]"]


def test_installed_from_a_checkout_it_names_that(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comes_from(monkeypatch, installed.as_uri())
    assert shlex.split(how_to_install("export"))[-1] == f"{installed}[export]"


@pytest.mark.parametrize("gone", [True, False])
def test_installed_from_wheels_it_asks_for_their_folder(
    installed: Path, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    comes_from(monkeypatch, "file:///gone/checkout" if gone else None)
    assert how_to_install("export").endswith("-m pip install --find-links FOLDER_OF_WHEELS 'funasr-cli[export]'")
