"""Checks of versions, and of whether packages with compiled code can be imported; damaged or foreign wheels cannot."""

from __future__ import annotations

import platform
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from funasr_cli import __version__
from funasr_cli.doctor.check import Check, Verdict
from funasr_cli.files import printable

IMPORT_TIMEOUT_S = 60.0
"""Seconds for one import, which takes several on a slow network file system."""

MISSING_LIBRARY = re.compile(r"(?P<library>\S+\.so[.\d]*): cannot open shared object file")
STATIC_TLS = re.compile(r"(?P<library>\S+\.so[.\d]*): cannot allocate memory in static TLS block")
"""The error of a library that must be loaded first; known from libgomp on aarch64."""

IMPORT_SCRIPT = """
import importlib, sys
sys.path[:] = sys.argv[2:]
try:
    importlib.import_module(sys.argv[1])
except BaseException as error:
    while error.__cause__:  # NumPy's own message is a page of advice
        error = error.__cause__
    sys.exit(f"{type(error).__name__}: {error}".splitlines()[0])
"""


@dataclass(frozen=True, slots=True)
class Package:
    """A package: its name in the package index, its module, and the model family that needs it (None: all)."""

    name: str
    module: str
    family: str | None = None


PACKAGES = (
    Package("numpy", "numpy"),
    Package("onnxruntime", "onnxruntime"),
    Package("av", "av"),
    Package("soundfile", "soundfile"),
    Package("OpenCC", "opencc"),
    Package("pypinyin", "pypinyin"),
    Package("rjieba", "rjieba"),
    Package("ctranslate2", "ctranslate2", "whisper"),
    Package("faster-whisper", "faster_whisper", "whisper"),
)


def version_checks(family: str) -> list[Check]:
    """Check this program, Python and the packages, for a run with a model of `family`."""
    # All at once, each in its own process: a wheel for another CPU does not raise, it kills the process.
    imports = [start_import(package.module) for package in PACKAGES]
    packages = [_package(package, family, process) for package, process in zip(PACKAGES, imports, strict=True)]
    return [Check("funasr-cli", __version__), Check("Python", platform.python_version()), *packages]


def start_import(module: str) -> subprocess.Popen[str]:
    """Start to import a module in another process, with this process's search path."""
    return subprocess.Popen(
        [sys.executable, "-B", "-c", IMPORT_SCRIPT, module, *sys.path],  # -B: write no byte code
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
    )


def _package(package: Package, family: str, process: subprocess.Popen[str]) -> Check:
    reason = why_it_failed(process)
    number = "of unknown version"
    with suppress(PackageNotFoundError):
        number = version(package.name)
    if reason is None:
        return Check(package.name, number)
    if find_spec(package.module) is None:
        return Check(package.name, "not installed", "problem", f"pip install {package.name}")
    verdict: Verdict = "problem" if package.family in (None, family) else "warning"
    return Check(package.name, f"{number}, cannot be imported: {printable(reason)}", verdict, _repair(package, reason))


def why_it_failed(process: subprocess.Popen[str]) -> str | None:
    """The last line that the process printed, or how it ended; None if the import succeeded."""
    try:
        _, said = process.communicate(timeout=IMPORT_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"not done after {IMPORT_TIMEOUT_S:.0f} s"
    if process.returncode == 0:
        return None
    if process.returncode < 0:
        return f"killed by {signal.Signals(-process.returncode).name}"
    return next(reversed(said.splitlines()), f"exit code {process.returncode}")


def _repair(package: Package, reason: str) -> str:
    if missing := MISSING_LIBRARY.search(reason):
        library = missing["library"]
        return f"dnf install '*/{library}'   (on Debian: apt-file search {library}, then apt-get install its package)"
    if late := STATIC_TLS.search(reason):
        return f"export LD_PRELOAD={late['library']}"
    return f"pip install --force-reinstall {package.name}"
