"""Find the recordings named on the command line, and report what was not found."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from funasr_cli.errors import MachineError, NoAudioError, UsageError
from funasr_cli.files import printable
from funasr_cli.inputs.options import FileSelection
from funasr_cli.inputs.scan import Scan, from_stdin, scan
from funasr_cli.reporting.display import Display
from funasr_cli.system.places import temporary_folder

OPEN_FILES = Path(f"/proc/{os.getpid()}/fd")
"""The open files of this process, by paths that its children can open too."""


@contextmanager
def discover(paths: Sequence[str], output_dir: Path | None, select: FileSelection, display: Display) -> Iterator[Scan]:
    """Find all recordings in `paths`; `-` is stdin. Raises `NoAudioError` if there are none."""
    named = [path for path in paths if path != "-"]
    with _stdin_spooled(wanted="-" in paths) as spooled:
        found = scan(named, output_dir, select)
        found.sources += map(from_stdin, spooled)
        _check(found, named, display)
        yield found


@contextmanager
def _stdin_spooled(*, wanted: bool) -> Iterator[list[Path]]:
    """Copy stdin to a private temporary file, because the index of an MP4 may be at its end."""
    if not wanted:
        yield []
        return
    if sys.stdin is None:
        raise UsageError("stdin is closed")
    with _temporary_file() as file:
        try:
            shutil.copyfileobj(sys.stdin.buffer, file)
            file.flush()
        except OSError as error:
            what = f"stdin cannot be copied into a temporary file: {error.strerror}"
            raise MachineError(what, hint="To use another folder, export TMPDIR=DIR.") from error
        yield [Path(file.name) if isinstance(file.name, str) else OPEN_FILES / str(file.fileno())]


@contextmanager
def _temporary_file() -> Iterator[IO[bytes]]:
    """Create a temporary file without a name, so that nothing is left however this process ends.

    Without /proc, its children could not open it; then it has a name.
    """
    folder = temporary_folder()
    if folder is None:
        raise MachineError(
            "no writable folder for the temporary file that stdin needs",
            hint="Set one with export TMPDIR=DIR, or name the recording instead of using stdin.",
        )
    make: Callable[..., IO[bytes]] = tempfile.TemporaryFile if OPEN_FILES.is_dir() else tempfile.NamedTemporaryFile
    try:
        file = make(dir=folder)
    except OSError as error:
        what = f"no temporary file for stdin can be created: {error.strerror}"
        raise MachineError(what, where=folder, hint="To use another folder, export TMPDIR=DIR.") from error
    with file:
        yield file


def _check(found: Scan, named: Sequence[str], display: Display) -> None:
    """Report problems, and patterns that matched nothing. Raises `NoAudioError` if there are no recordings."""
    for option, pattern in found.unused:
        display.warn(f"warning: {option} {printable(pattern)} matched no files")
    if found.passed_over:
        display.note(str(found.passed_over))
    problems = found.problems
    only_problems = not found.sources and [path for path, _ in problems] == list(map(Path, named))
    for path, why in problems[:-1] if only_problems else problems:
        display.warn(f"failed: {printable(path)}: {why}")
    if found.sources:
        return
    if only_problems:
        path, why = problems[-1]
        raise NoAudioError(why, where=path)
    if found.narrowed:
        raise NoAudioError("--include/--exclude filtered out every recording")
    raise NoAudioError(
        "no recordings found",
        hint="Folders are searched for known audio and video extensions; name a file directly to transcribe it anyway.",
    )
