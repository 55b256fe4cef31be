"""Find the recordings that the command line names."""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path, PurePath
from shlex import quote
from typing import NamedTuple

from funasr_cli.files import printable, sha256_of
from funasr_cli.inputs.folders import Folders, Identity, identity_of
from funasr_cli.inputs.globs import PathFilter
from funasr_cli.inputs.options import ALL_FILES, EXTENSIONS, FileSelection
from funasr_cli.inputs.passed_over import PassedOver
from funasr_cli.inputs.roots import existing, prefixes
from funasr_cli.walk import walk

logger = logging.getLogger(__name__)

_RANK = {f".{extension}": rank for rank, extension in enumerate(EXTENSIONS)}


class SourceFolder(NamedTuple):
    """A folder of recordings: the path that led there, its place in the tree that outputs mirror, and its real path."""

    path: Path
    relative: PurePath
    identity: Path


@dataclass(frozen=True, slots=True)
class Source:
    """A recording, by its `name` in a folder. There may be 100,000 of them, so paths are built only on demand."""

    folder: SourceFolder
    name: str

    @property
    def path(self) -> Path:
        """Path of the recording, by the path that was named."""
        return self.folder.path / self.name

    @property
    def relative(self) -> PurePath:
        """Place in the tree that the outputs mirror."""
        return self.folder.relative / self.name

    @property
    def identity(self) -> Path:
        """Path under which it is recorded: absolute, with links to its folder resolved."""
        return self.folder.identity / self.name

    @property
    def is_stdin(self) -> bool:
        """Whether it came from stdin: then it has no age, and no folder beside which to write."""
        return False

    @property
    def named(self) -> Path:
        """The path shown to people: as it was named or found, or `stdin`."""
        return self.path


@dataclass(frozen=True, slots=True)
class StdinSource(Source):
    """A recording from stdin, spooled to a file and identified by its content."""

    @property
    def relative(self) -> PurePath:
        """`stdin`, which gives its outputs their name."""
        return PurePath("stdin")

    @property
    def identity(self) -> Path:
        """A path made from the content's hash: the same content is the same recording."""
        return self.folder.identity

    @property
    def is_stdin(self) -> bool:
        """True."""
        return True

    @property
    def named(self) -> Path:
        """`stdin`."""
        return Path(self.relative)


STDIN = Path("/dev/stdin")


def from_stdin(path: Path) -> Source:
    """The recording that was spooled from stdin to `path`."""
    return StdinSource(SourceFolder(path.parent, PurePath(), STDIN / sha256_of(path)), path.name)


@dataclass(slots=True)
class Scan:
    """The recordings found, in processing order, and the paths that could not be searched: (path, why).

    `narrowed` is true if patterns filtered anything out; `unused` are patterns that matched nothing: (option, pattern).
    `passed_over` counts files in folders that do not have the extension of a recording.
    """

    sources: list[Source] = field(default_factory=list)
    problems: list[tuple[Path, str]] = field(default_factory=list)
    narrowed: bool = False
    unused: list[tuple[str, str]] = field(default_factory=list)
    passed_over: PassedOver = field(default_factory=PassedOver)


def scan(named: Sequence[str], output_dir: Path | None, select: FileSelection = ALL_FILES) -> Scan:
    """Find every recording in the files, folders (recursively) and glob patterns of `named`, each once.

    In folders only known extensions count; names with a leading dot and `output_dir` are skipped. A file that is named
    explicitly is taken whatever its name. For one folder, outputs mirror the tree below it; for several roots, each
    keeps as much of the end of its path as distinguishes it from the others. If several paths lead to a folder, its
    recordings go by the path with the fewest links.
    """
    found = Scan()
    roots = list(existing(named, found.problems))
    skip = identity_of(output_dir) if output_dir is not None else None
    sieve = PathFilter(select.include, select.exclude)
    recordings = _Recordings()
    for root, prefix in zip(roots, prefixes(roots), strict=True):
        files: Iterable[tuple[Path, PurePath, Sequence[str]]] = [(root.parent, prefix.parent, [root.name])]
        if root.is_dir():
            if skip is not None and identity_of(root) == skip:
                why = "is the output folder, which is never searched; use --beside or choose another folder with -o"
                found.problems.append((root, why))
                continue
            files = _below(root, prefix, skip, select.suffixes, sieve, found)
        for folder, mirrored, names in files:
            taken = [name for name in names if sieve.takes(mirrored / name)]
            found.narrowed |= len(taken) < len(names)
            recordings.add(folder, mirrored, taken)
    found.sources = recordings.in_order()
    logger.debug("found %d recordings", len(found.sources))
    found.unused = sieve.unused
    return found


class _Recordings:
    """Recordings found so far, each once: a name in a folder, whatever paths lead to the folder."""

    def __init__(self) -> None:
        self._folders = Folders()
        # By folder, then by number of links in the path, then by name.
        self._found: dict[object, dict[int, dict[str, SourceFolder]]] = {}

    def add(self, path: Path, mirrored: PurePath, names: Iterable[str]) -> None:
        """Add the files `names` of the folder `path`, whose place in the tree of outputs is `mirrored`."""
        folder = self._folders[str(path)]
        where = SourceFolder(path, mirrored, Path(folder.path))
        known = self._found.setdefault(folder.key, {}).setdefault(folder.links, {})
        for name in names:
            known.setdefault(name, where)

    def in_order(self) -> list[Source]:
        """All recordings in processing order."""
        places: dict[tuple[str, ...], list[Source]] = defaultdict(list)
        for ways in self._found.values():
            nearest: dict[str, SourceFolder] = {}
            for links in sorted(ways, reverse=True):
                nearest |= ways[links]
            for name, folder in nearest.items():
                places[folder.relative.parts].append(Source(folder, name))
        return [source for place in sorted(places) for source in sorted(places[place], key=_order)]


def _order(source: Source) -> tuple[object, ...]:
    name = PurePath(source.name)
    return name.stem, _RANK.get(name.suffix.lower(), len(_RANK)), name.name


def _below(
    root: Path,
    prefix: PurePath,
    skip: Identity | None,
    suffixes: Container[str],
    sieve: PathFilter,
    found: Scan,
) -> Iterator[tuple[Path, PurePath, Sequence[str]]]:
    """Yield `root` and the folders below it, each with its place in the tree and the names of its recordings."""

    def enter(place: PurePath) -> bool:
        excluded = sieve.excludes(prefix / place)
        found.narrowed |= excluded
        return not excluded

    def on_error(folder: Path, error: OSError) -> None:
        way_out = ""
        if folder != root:
            way_out = f"; to skip it: --exclude {quote(escape(printable(prefix / folder.relative_to(root))))}"
        found.problems.append((folder, f"cannot be listed: {error.strerror}{way_out}"))

    for place, files in walk(root, entered=set() if skip is None else {skip}, enter=enter, on_error=on_error):
        folder, mirrored = root / place, prefix / place
        names = [file.name for file in files]
        taken = [name for name in names if os.path.splitext(name)[1].lower() in suffixes]
        others = {*names}.difference(taken)
        found.passed_over.add(folder, (name for name in others if sieve.would_take(mirrored / name)), taken)
        yield folder, mirrored, taken
