"""Which files count as recordings, apart from what looks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

EXTENSIONS = (
    *("wav", "flac", "aiff", "aif", "aifc", "au", "caf", "w64", "rf64", "wv", "ape", "tta"),
    *("m4a", "mp3", "aac", "ogg", "oga", "opus", "spx", "wma", "amr", "awb", "ac3", "eac3", "dts", "mka", "mp2"),
    *("mp4", "m4v", "mov", "mkv", "webm", "avi", "wmv", "asf", "flv", "f4v", "mpg", "mpeg", "ts", "mts", "m2ts"),
    *("3gp", "3g2", "vob", "ogv", "rm", "rmvb"),
)
"""Files in folders with these names are taken; the best sound first, which is the order in which names are given."""


@dataclass(frozen=True, slots=True)
class FileSelection:
    """Which files count: their extensions in folders, and glob patterns on their place in the tree (`fits`)."""

    extensions: Sequence[str] = EXTENSIONS
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    @property
    def suffixes(self) -> frozenset[str]:
        """The extensions with their dots."""
        return frozenset(f".{extension}" for extension in self.extensions)


ALL_FILES = FileSelection()
