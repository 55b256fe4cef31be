"""Counts files in folders that were skipped because of their extension, for the summary of a run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePath

from funasr_cli.inputs.options import HEADERLESS_EXTENSIONS
from funasr_cli.outputs.layout import FORMATS, STATE_DIR

OF_THE_SYSTEM = {"thumbs.db", "desktop.ini"}
"""Files that Windows puts into folders, in lower case. Those of other systems begin with a dot."""

SHOWN_EXTENSIONS = 6
"""How many extensions the summary names."""

_OUTPUT = re.compile(rf"(?P<name>.+?)(\.\d+)?(\.new\d*)?\.({'|'.join(FORMATS)})", re.DOTALL)
"""An output beside a recording; `name` is the recording's file name, or its name without the extension."""


class PassedOver(Counter[str]):
    """Number of files skipped, by extension in lower case with its dot; "" for no extension."""

    def __init__(self) -> None:
        super().__init__()
        self._output_folders: set[Path] = set()

    def add(self, folder: Path, names: Iterable[str], taken: Collection[str]) -> None:
        """Count the files `names` of a folder whose recordings are `taken`, except outputs that we wrote ourselves.

        Folders come in the order of `walk`: parents first.
        """
        if folder.parent in self._output_folders or (folder / STATE_DIR).is_dir():
            self._output_folders.add(folder)
            return
        recordings = {*taken, *(PurePath(name).stem for name in taken)}
        for name in names:
            ours = (match := _OUTPUT.fullmatch(name)) and match["name"] in recordings
            if not ours and name.lower() not in OF_THE_SYSTEM:
                self[PurePath(name).suffix.lower()] += 1

    def __str__(self) -> str:
        files = "1 file" if self.total() == 1 else f"{self.total()} files"
        return f"{files} skipped by extension: {', '.join(self._parts())}"

    def _parts(self) -> Iterator[str]:
        shown = self.most_common(SHOWN_EXTENSIONS)
        for extension, count in shown:
            needs_raw = extension[1:] in HEADERLESS_EXTENSIONS
            yield f"{count} {extension or 'without extension'}{' (see --raw)' if needs_raw else ''}"
        others = self.total() - sum(count for _, count in shown)
        if others:
            yield f"{others} other"
