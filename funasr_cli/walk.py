"""Recursive listing of folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath


def _everywhere(_: PurePath) -> bool:
    return True


def _pass_over(_: Path, __: OSError) -> None:
    pass


def walk(
    root: Path,
    *,
    entered: set[tuple[int, int]] | None = None,
    enter: Callable[[PurePath], bool] = _everywhere,
    on_error: Callable[[Path, OSError], None] = _pass_over,
) -> Iterator[tuple[PurePath, list[os.DirEntry[str]]]]:
    """Yield each folder from `root` down, breadth first: its path relative to `root`, and its entries except folders.

    Names with a leading dot are skipped. No folder is entered twice, nor one that is in `entered` as (device, inode);
    the folders entered are added to it. Symbolic links are followed last, so that a folder that can also be reached
    without one gets its real path. `enter` decides by relative path whether to enter a folder. `on_error` is called
    with a folder that cannot be listed, or only in part.
    """
    entered = set() if entered is None else entered
    level, links = [PurePath()], list[PurePath]()
    while level or links:
        if not level:
            level, links = links, []
        below: list[PurePath] = []
        for place in level:
            folder, others = root / place, list[os.DirEntry[str]]()
            folders, linked = list[str](), list[str]()
            try:
                status = folder.stat()
                if (status.st_dev, status.st_ino) in entered:
                    continue
                entered.add((status.st_dev, status.st_ino))
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if entry.name[0] == ".":
                            continue
                        if not _is_folder(entry):
                            others.append(entry)
                        elif entry.is_symlink():
                            linked.append(entry.name)
                        else:
                            folders.append(entry.name)
            except OSError as error:
                on_error(folder, error)
            yield place, others
            below += [place / name for name in sorted(folders) if enter(place / name)]
            links += [place / name for name in sorted(linked) if enter(place / name)]
        level = below


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # such as a link to itself; reported when it is opened
        return False
