"""The recordings that were named on the command line, and what is said where there are none."""

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
"""The files that this process has open, for its children too."""


@contextmanager
def discover(paths: Sequence[str], output_dir: Path | None, select: FileSelection, display: Display) -> Iterator[Scan]:
    """All recordings in `paths`, of which `-` is stdin. Raises `NoAudioError` where there are none."""
    named = [path for path in paths if path != "-"]
    with _stdin_spooled(wanted="-" in paths) as spooled:
        found = scan(named, output_dir, select)
        found.sources += map(from_stdin, spooled)
        _check(found, named, display)
        yield found


@contextmanager
def _stdin_spooled(*, wanted: bool) -> Iterator[list[Path]]:
    """Stdin's content in a private temporary file: the index of an MP4 may come last."""
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
            raise MachineError(what, hint="export TMPDIR=DIR takes another folder for it.") from error
        yield [Path(file.name) if isinstance(file.name, str) else OPEN_FILES / str(file.fileno())]


@contextmanager
def _temporary_file() -> Iterator[IO[bytes]]:
    """A file without a name, so that nothing is left of it however this process ends; with one if /proc is missing."""
    folder = temporary_folder()
    if folder is None:
        raise MachineError(
            "stdin needs a temporary file, and there is no folder for one that can be written",
            hint="export TMPDIR=DIR with a folder that can, or name the recording.",
        )
    make: Callable[..., IO[bytes]] = tempfile.TemporaryFile if OPEN_FILES.is_dir() else tempfile.NamedTemporaryFile
    try:
        file = make(dir=folder)
    except OSError as error:
        what = f"no temporary file can be made for stdin: {error.strerror}"
        raise MachineError(what, where=folder, hint="export TMPDIR=DIR takes another folder.") from error
    with file:
        yield file


def _check(found: Scan, named: Sequence[str], display: Display) -> None:
    """Say what could not be looked at, and which patterns were for nothing."""
    for option, pattern in found.unused:
        display.warn(f"warning: {option} {printable(pattern)} fits nothing that was found below the folders")
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
        raise NoAudioError("no recording is left of those that were found", hint="See --include and --exclude.")
    raise NoAudioError(
        "no recording in what was named",
        hint="Folders are searched for audio and video files by their extension; name a file to take it anyway.",
    )
