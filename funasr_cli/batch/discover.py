"""The recordings that were named on the command line, and what is said where there are none."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from funasr_cli.errors import NoAudioError, UsageError
from funasr_cli.files import printable
from funasr_cli.inputs.options import FileSelection
from funasr_cli.inputs.scan import Scan, from_stdin, scan
from funasr_cli.reporting.display import Display


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
    with ExitStack() as stack:
        file: IO[bytes] = stack.enter_context(
            tempfile.TemporaryFile()
        )  # without a name: nothing is left of it in any case
        path = Path(f"/proc/{os.getpid()}/fd/{file.fileno()}")
        if not path.exists():  # there is no /proc, as in some chroots
            named = stack.enter_context(tempfile.NamedTemporaryFile())
            file, path = named.file, Path(named.name)
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.flush()
        yield [path]


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
