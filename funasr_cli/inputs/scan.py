"""Find the recordings in what was named on the command line."""

from __future__ import annotations

import logging
import os
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from funasr_cli.files import sha256_of
from funasr_cli.inputs.globs import PathFilter, expand
from funasr_cli.inputs.options import ALL_FILES, EXTENSIONS, FileSelection
from funasr_cli.inputs.passed_over import PassedOver
from funasr_cli.walk import walk

logger = logging.getLogger(__name__)

_RANK = {f".{extension}": rank for rank, extension in enumerate(EXTENSIONS)}


@dataclass(frozen=True, slots=True)
class Source:
    """A recording to do: where it is, where it lies in the tree that the outputs mirror, and what it is known as.

    `identity` is its absolute path; for stdin, which has none, a name that its content gives it.
    """

    path: Path
    relative: PurePath
    identity: Path

    @property
    def is_stdin(self) -> bool:
        """Whether it came through stdin: it has no age, and no folder to write beside it."""
        return self.identity.parent == STDIN

    @property
    def named(self) -> Path:
        """The path by which people know it: as it was named or found, `stdin` if it came through that."""
        return Path(self.relative) if self.is_stdin else self.path


STDIN = Path("/dev/stdin")


def from_stdin(path: Path) -> Source:
    """The recording that was spooled from stdin into `path`. The same content is the same recording."""
    return Source(path, PurePath("stdin"), STDIN / sha256_of(path))


@dataclass(slots=True)
class Scan:
    """What was found, in order of work, and what could not be looked at: (path, why).

    `narrowed` tells whether the patterns kept anything out; `unused` are those, with their options, that fit nothing.
    `passed_over` counts what lies in folders and has not the extension of a recording.
    """

    sources: list[Source] = field(default_factory=list)
    problems: list[tuple[Path, str]] = field(default_factory=list)
    narrowed: bool = False
    unused: list[tuple[str, str]] = field(default_factory=list)
    passed_over: PassedOver = field(default_factory=PassedOver)


def scan(named: Sequence[str], output_dir: Path | None, select: FileSelection = ALL_FILES) -> Scan:
    """Every recording in the files, folders (with all below) and glob patterns of `named`, each once.

    In folders only known extensions count, names with a leading dot are passed over, and so is `output_dir`. A file
    that is named itself is taken whatever it is called. With one folder the tree below it is mirrored; with several
    roots each goes under its own name, with as much of its path as tells it from the others.
    """
    found = Scan()
    roots = list(_existing(named, found.problems))
    prefixes = _prefixes(roots)
    skip = _identity(output_dir) if output_dir is not None else None
    sieve = PathFilter(select.include, select.exclude)
    seen: set[str] = set()
    for root, prefix in zip(roots, prefixes, strict=True):
        if skip is not None and _identity(root) == skip:
            found.problems.append((root, "is the output folder, which is never searched; use --beside or another -o"))
            continue
        files: Iterable[tuple[Path, PurePath]] = [(root, prefix)]
        if root.is_dir():
            files = _below(root, prefix, skip, select.suffixes, sieve, found)
        for path, relative in files:
            key = os.path.abspath(path)  # links stay what they are named
            if key in seen:
                continue
            seen.add(key)
            if sieve.takes(relative):
                found.sources.append(Source(path, relative, Path(key)))
            else:
                found.narrowed = True
    logger.debug("%d files in what was named", len(seen))
    found.unused = sieve.unused
    found.sources.sort(key=lambda source: _order(source.relative))
    return found


def _order(relative: PurePath) -> tuple[object, ...]:
    return (relative.parent.parts, relative.stem, _RANK.get(relative.suffix.lower(), len(_RANK)), relative.name)


def _existing(named: Iterable[str], problems: list[tuple[Path, str]]) -> Iterator[Path]:
    for name in named:
        path = Path(name)
        if os.path.lexists(path):
            yield path
        elif matches := expand(name):
            yield from map(Path, matches)
        else:
            problems.append((path, "no such file or folder"))


def _prefixes(roots: Sequence[Path]) -> list[PurePath]:
    """For each root the shortest end of its path that no other root shares; nothing for a folder that is alone."""
    if len(roots) == 1 and roots[0].is_dir():
        return [PurePath()]
    paths = [PurePath(os.path.abspath(root)).parts[1:] for root in roots]
    prefixes = []
    for parts in paths:
        length = 1
        while length < len(parts) and sum(other[-length:] == parts[-length:] for other in paths if other != parts):
            length += 1
        prefixes.append(PurePath(*parts[-length:]))
    return prefixes


def _below(
    root: Path,
    prefix: PurePath,
    skip: tuple[int, int] | None,
    suffixes: Container[str],
    sieve: PathFilter,
    found: Scan,
) -> Iterator[tuple[Path, PurePath]]:
    """Recordings below `root` with their place in the tree. Links are followed, but no folder is entered twice."""

    def enter(place: PurePath) -> bool:
        excluded = sieve.excludes(prefix / place)
        found.narrowed |= excluded
        return not excluded

    def on_error(folder: Path, error: OSError) -> None:
        found.problems.append((folder, f"cannot be listed: {error.strerror}"))

    for place, files in walk(root, entered=set() if skip is None else {skip}, enter=enter, on_error=on_error):
        folder, mirrored = root / place, prefix / place
        names = [file.name for file in files]
        taken = [name for name in names if os.path.splitext(name)[1].lower() in suffixes]
        others = {*names}.difference(taken)
        found.passed_over.add(folder, (name for name in others if sieve.would_take(mirrored / name)), taken)
        yield from ((folder / name, mirrored / name) for name in taken)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
