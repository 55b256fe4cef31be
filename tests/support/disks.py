"""Disks that confuse some names: simulated, because this kernel may not support them, and real if it can mount them."""

from __future__ import annotations

import builtins
import errno
import io
import os
import pathlib
import shutil
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class DiskKind:
    """How a file system treats names: two with the same `key` are one, and `stored` is how it lists them.

    It rejects names with `refused` characters.
    """

    key: Callable[[str], str]
    stored: Callable[[str], str] = str
    refused: str = ""


def _decomposed(name: str) -> str:
    return unicodedata.normalize("NFD", name)


EXFAT = DiskKind(key=str.upper, refused='"*:<>?\\|')
HFS = DiskKind(key=lambda name: _decomposed(name).lower(), stored=_decomposed)
CASEFOLD = DiskKind(key=lambda name: _decomposed(name).casefold())
NORMALISING = DiskKind(key=_decomposed)
SMB = DiskKind(key=lambda name: name.rstrip(". ").upper(), stored=lambda name: name.rstrip(". "))
NO_UNICODE = DiskKind(key=lambda name: name.encode("ascii", "replace").decode())
"""A server that replaces every character it does not know by the same one. It distinguishes the names of probes."""

ONE_PATH = ("stat", "lstat", "open", "mkdir", "rmdir", "unlink", "remove", "scandir", "listdir", "utime", "readlink")
TWO_PATHS = ("rename", "replace", "link")


class InexactDisk:
    """Makes the folder `root` look like another kind of disk to this process.

    It covers all calls of `os` and `open` with a path. SQLite opens its files without Python, by the names in storage.
    """

    def __init__(self, root: Path, kind: DiskKind, patch: pytest.MonkeyPatch) -> None:
        self._root = str(root.resolve())
        self._kind = kind
        self._listdir = os.listdir
        self.made: list[str] = []
        """Names of files that were created with `open`."""
        accessor = getattr(pathlib, "_NormalAccessor", None)  # Python 3.10 keeps functions of its own
        for name, count in [*((name, 1) for name in ONE_PATH), *((name, 2) for name in TWO_PATHS)]:
            wrapped = self._wrap(getattr(os, name), count)
            patch.setattr(os, name, wrapped)
            if accessor is not None and hasattr(accessor, name) and name != "open":
                patch.setattr(accessor, name, staticmethod(wrapped))
        opened = self._wrap(io.open, 1)
        for place in (io, builtins, accessor):
            if place is not None:
                patch.setattr(place, "open", opened if place is not accessor else staticmethod(opened))

    def _wrap(self, call: Callable[..., Any], count: int) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            assert not {"dir_fd", "src_dir_fd", "dst_dir_fd"} & {key for key, value in options.items() if value}
            paths = [self.real(path) for path in arguments[:count]]
            if count == 1 and arguments[1:2] == ("xb",):
                self.made.append(os.path.basename(str(arguments[0])))
            return call(*paths, *arguments[count:], **options)

        return wrapped

    def real(self, path: Any) -> Any:
        """Return the path under which the underlying disk has a file."""
        if isinstance(path, int) or not path:
            return path
        text = os.path.abspath(os.fsdecode(path))
        if not text.startswith(self._root + os.sep):
            return path
        place = self._root
        for name in Path(text).relative_to(self._root).parts:
            if set(name) & set(self._kind.refused):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), text)
            place = os.path.join(place, self._spelling(place, name))
        return os.fsencode(place) if isinstance(path, bytes) else place

    def _spelling(self, folder: str, name: str) -> str:
        try:
            listed = self._listdir(folder)
        except OSError:
            listed = []
        same = (other for other in listed if self._kind.key(other) == self._kind.key(name))
        return next(same, self._kind.stored(name))


@contextmanager
def exfat(folder: Path) -> Iterator[Path]:
    """Mount an exFAT disk in a new folder. Skips the test if that is not permitted."""
    tools = [shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") for name in EXFAT_TOOLS]
    missing = [name for name, path in zip(EXFAT_TOOLS, tools, strict=True) if path is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: apt install exfat-fuse exfatprogs, and mount")
    mkfs, mount, losetup, umount = map(str, tools)
    image, place = folder / "exfat.img", folder / "exfat"
    image.touch()
    os.truncate(image, 64 << 20)
    _run_or_skip(mkfs, image)
    device = _run_or_skip(losetup, "--find", "--show", image)
    place.mkdir()
    try:
        _run_or_skip(mount, device, place)
        try:
            yield place
        finally:
            subprocess.run([umount, place], check=True)
    finally:
        subprocess.run([losetup, "--detach", device], check=True)


EXFAT_TOOLS = ("mkfs.exfat", "mount.exfat-fuse", "losetup", "umount")


@contextmanager
def mounted_twice(folder: Path, place: Path, *, read_only: bool = False) -> Iterator[Path]:
    """Mount the folder at a second place, too. Skips the test if that is not permitted."""
    place.mkdir(exist_ok=True)
    _run_or_skip("mount", "--bind", folder, place)
    try:
        if read_only:
            _run_or_skip("mount", "-o", "remount,ro,bind", place)
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def _run_or_skip(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{Path(command[0]).name} is not allowed here: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()
