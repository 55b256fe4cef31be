"""Finds a model's folder from the path given to `--model`: one of its files, the folder, or a parent folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from funasr_cli.errors import ModelError, reading
from funasr_cli.files import printable
from funasr_cli.models.layouts import AUTO, LAYOUTS, ModelLayout, layout_of
from funasr_cli.models.strangers import strange_file, strange_folder, strangers_in

MAX_DEPTH = 6
"""Depth to which a folder is searched for models: in a hub's cache they are five folders down."""

MAX_FOLDERS = 2_000
"""Limit for folders searched: --model / would otherwise read the whole disk."""

MAX_NAMED = 5

HUB_PREFIX = "models--"
"""Prefix of a repository's folder in Hugging Face's cache; each / in the repository's name becomes --."""


class Found(NamedTuple):
    """A model's folder, its name, and the precision of the file that was named (`auto` if a folder was named)."""

    folder: Path
    name: str
    precision: str = AUTO


def find_folder(path: Path) -> Found:
    """Find the model in `path`. Raises `ModelError` that says what was found instead and what to do."""
    with reading(path, ModelError):
        if path.is_file():
            return _of_file(path)
        if stranger := strange_folder(path):
            raise ModelError(f"is {stranger.what}", where=path, hint=stranger.hint)
        if not _complete(path) and not (path / "model.pt").is_file():
            below = list(_below(path))
            if len(below) == 1:
                return Found(below[0], _name(below[0]))
            if below:
                more = f", and {len(below) - MAX_NAMED} more" if len(below) > MAX_NAMED else ""
                listed = ", ".join(map(printable, below[:MAX_NAMED]))
                raise ModelError(f"contains {len(below)} models", where=path, hint=f"Choose one: {listed}{more}.")
            for file, stranger in strangers_in(path):
                raise ModelError(f"is {stranger.what}", where=file, hint=stranger.hint)
    return Found(path, _name(path))


def check_files(folder: Path, layout: ModelLayout, weights: Path) -> None:
    """Raise `ModelError` if a required file is in fact something else, such as a Git LFS pointer or a web page."""
    needed = [path for group in layout.needs for name in group if (path := folder / name).is_file()]
    for path in [weights, *needed]:
        with reading(path, ModelError):
            if stranger := strange_file(path):
                raise ModelError(f"is {stranger.what}", where=path, hint=stranger.hint)


def _of_file(path: Path) -> Found:
    if stranger := strange_file(path):
        raise ModelError(f"is {stranger.what}", where=path, hint=stranger.hint)
    folder = path.parent
    if stranger := strange_folder(folder):
        raise ModelError(f"belongs to {stranger.what}", where=path, hint=stranger.hint)
    layout = layout_of(folder)
    if not any(path.match(pattern) for pattern in _patterns(layout)):
        hint = f"Name the folder: --model {printable(folder)}"
        raise ModelError("is not a file of the model in its folder", where=path, hint=hint)
    kinds = [kind for kind, names in layout.weights.items() if any(path.match(name) for name in names)]
    return Found(folder, _name(folder), kinds[0] if len(kinds) == 1 else AUTO)


def _patterns(layout: ModelLayout) -> Iterator[str]:
    for group in (*layout.needs, *layout.weights.values(), layout.others, layout.compiled):
        yield from group


def _complete(folder: Path) -> bool:
    return any(not layout.missing(folder) for layout in LAYOUTS)


def _below(root: Path) -> Iterator[Path]:
    """Yield subfolders with a supported model; for a repository in a hub's cache, only its current revision."""
    folders, seen = [(root, 0)], 0
    while folders and seen < MAX_FOLDERS:
        folder, depth = folders.pop(0)
        seen += 1
        inner = sorted(Path(entry) for entry in os.scandir(folder) if entry.is_dir()) if depth < MAX_DEPTH else []
        if folder.name.startswith(HUB_PREFIX):
            inner = [_current(folder)]
        for path in inner:
            if path.name.startswith(".") or not path.is_dir():
                continue
            if _complete(path) and strange_folder(path) is None:
                yield path
            else:
                folders.append((path, depth + 1))


def _current(repository: Path) -> Path:
    """The revision in a hub's cache that refs/main names; without one, any revision."""
    snapshots = repository / "snapshots"
    reference = repository / "refs" / "main"
    if reference.is_file() and (main := snapshots / reference.read_text(encoding="utf-8").strip()).is_dir():
        return main
    return next(iter(sorted(snapshots.iterdir())), snapshots) if snapshots.is_dir() else snapshots


def _name(folder: Path) -> str:
    """Name of the model: that of its folder, or of its repository if the folder is named after a revision."""
    resolved = folder.resolve()
    repository = next((part for part in reversed(resolved.parts) if part.startswith(HUB_PREFIX)), None)
    return repository.rpartition("--")[2] if repository else resolved.name
