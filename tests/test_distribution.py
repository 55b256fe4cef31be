"""An installation from a wheel, an sdist or for development has everything that ships with the program."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from tests.conftest import NANO, ROOT

pytestmark = pytest.mark.process

SOURCES = ("funasr_cli", "hotwords", "configs", "scripts", "man", "docs")
SOURCES += ("setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")

MIN_SETUPTOOLS = 77
"""The first that reads `license_expression`."""


class Installation:
    """A virtual environment with this program, and an empty folder next to it to run the program in."""

    def __init__(self, folder: Path) -> None:
        self.empty = folder / "empty"
        self.empty.mkdir()
        self.environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        venv.create(folder / "venv", symlinks=True)
        self._bin = folder / "venv/bin"
        self.man = folder / "venv/share/man/man1"
        (self.packages,) = (folder / "venv/lib").glob("python*/site-packages")
        for ours in filter(Path.is_dir, map(Path, sys.path)):
            if ours.name.endswith("-packages"):
                self._borrow(ours)

    def _borrow(self, packages: Path) -> None:
        """Link to all packages except this program, to avoid installing them again."""
        for package in packages.iterdir():
            link = self.packages / package.name
            if not package.name.startswith(("funasr_cli", "__editable__", "__pycache__")) and not link.exists():
                link.symlink_to(package)

    def install(self, *what: str | Path) -> None:
        options = ("--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
        self.call("python", "-m", "pip", "install", *options, *what)

    def run(self, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        return self.call("funasr-cli", *arguments, **variables)

    def call(self, program: str, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self._bin / program, *arguments],
            cwd=self.empty,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    def hotwords(self, *arguments: str | Path, **variables: str) -> str:
        """Return the setting `hotwords`."""
        rows = (line.split() for line in self.run("config", "show", *arguments, **variables).stdout.splitlines())
        return next(row[1] for row in rows if row[0] == "hotwords")


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    try:
        found = int(version("setuptools").partition(".")[0])
    except PackageNotFoundError:
        found = 0
    if found < MIN_SETUPTOOLS:
        pytest.skip(f"needs setuptools >= {MIN_SETUPTOOLS}, which comes with the extra [test]")
    return Installation(tmp_path)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the files for distributions, because setuptools leaves its own files there."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)
    return folder


def build(installation: Installation, checkout: Path, kind: str) -> Path:
    """Build the wheel or sdist like `python -m build`."""
    code = "import os, sys, setuptools.build_meta as b; os.chdir(sys.argv[1]); getattr(b, sys.argv[2])('..')"
    installation.call("python", "-c", code, checkout, f"build_{kind}")
    (built,) = checkout.parent.glob("funasr_cli-*" + (".whl" if kind == "wheel" else ".tar.gz"))
    return built


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_installed_it_has_the_lists_and_configuration_files(
    installation: Installation, checkout: Path, kind: str
) -> None:
    built = build(installation, checkout, kind)
    if kind == "sdist":
        with tarfile.open(built) as archive:
            assert all(member.isfile() or member.isdir() for member in archive)
            held = {name.partition("/")[2] for name in archive.getnames()}
        assert {"man/funasr-cli.1", "man/funasr-cli-transcribe.1", "docs/commands.md", "scripts/ascend_env.sh"} <= held
    installation.install(built)
    shutil.rmtree(checkout)  # the installation must not need it
    check(installation, installation.packages)
    script = installation.packages / "funasr_cli/executors/ascend_env.sh"
    assert script.read_bytes() == (ROOT / "scripts/ascend_env.sh").read_bytes()
    assert (installation.packages / "funasr_cli/py.typed").is_file()
    pages = {path.name: path.read_bytes() for path in installation.man.iterdir()}
    assert pages == {path.name: path.read_bytes() for path in (ROOT / "man").iterdir()}


def test_installed_for_development_it_has_those_of_the_checkout(installation: Installation, checkout: Path) -> None:
    installation.install("--editable", checkout)
    check(installation, checkout)
    (checkout / "hotwords/mine.txt").write_text("# 本单位。\n一带一路\n", encoding="utf-8")
    assert "mine" in installation.run("hotwords", "list").stdout


def check(installation: Installation, home: Path) -> None:
    """Check that the program in `home` has the same files as this checkout, and finds them by name."""
    data = home / "funasr_cli/data"
    for folder in ("hotwords", "configs"):
        found = {path.name: path.read_bytes() for path in (data / folder).iterdir()}
        assert found == {path.name: path.read_bytes() for path in (ROOT / folder).iterdir()}
    gov = str(data / "hotwords/gov.txt")
    assert installation.run("hotwords", "path", "gov").stdout == f"{gov}\n"
    (installation.empty / "c.yaml").write_text("hotwords: [gov]\n", encoding="utf-8")
    assert installation.hotwords("--hotwords", "gov") == gov
    assert installation.hotwords("--config", "c.yaml") == gov
    assert installation.hotwords(FUNASR_CLI_HOTWORDS="gov") == gov
    speech = NANO / "words-with-pauses.flac"
    dry_run = installation.run("transcribe", speech, "--model", NANO, "--config", "c.yaml", "--dry-run")
    assert dry_run.stdout.startswith("do ")
    assert gov in dry_run.stderr
    installation.run("config", "init")
    assert (installation.empty / "funasr-cli.yaml").read_bytes() == (ROOT / "configs/default.yaml").read_bytes()
