"""Opens the record of an output folder for writing, or a copy of it for planning."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from funasr_cli.callbacks import Tell, silent
from funasr_cli.outputs.layout import STATE_DIR
from funasr_cli.store.aliases import FileSystems
from funasr_cli.store.database import Database
from funasr_cli.store.kept import KEPT_NAME, forget, open_kept, reading_recipes
from funasr_cli.store.lock import folder_lock
from funasr_cli.store.manifest import Manifest
from funasr_cli.store.output_store import OutputStore
from funasr_cli.store.preflight import make_folder
from funasr_cli.system.deadline import Deadline
from funasr_cli.system.locks import NO_DEADLINE


@contextmanager
def open_store(
    folder: Path, *, beside: bool, wait: bool, tell: Tell, deadline: Deadline = NO_DEADLINE, keep: bool = True
) -> Iterator[OutputStore]:
    """Open the record of `folder`, locked and recovered; with `wait`, wait for another run until the `deadline`.

    Without `keep`, no recognition results are kept, and those of earlier runs are removed. Raises `BusyError`,
    `RecordError` or `MachineError`.
    """
    folder = Path(os.path.abspath(folder))
    hidden = make_folder(folder, STATE_DIR, beside=beside)
    with ExitStack() as stack:
        stack.enter_context(folder_lock(hidden / "lock", wait=wait, tell=tell, deadline=deadline))
        state = Database(hidden / "state.sqlite")
        stack.callback(state.close)
        kept = None
        if keep:
            kept = open_kept(hidden / KEPT_NAME, tell)
            stack.callback(kept.close)
        else:
            forget(hidden / KEPT_NAME)
        store = OutputStore(folder, state, Manifest(folder), beside=beside, disks=FileSystems(), tell=tell, kept=kept)
        store.recover()
        yield store
        store.flush()


def has_record(folder: Path) -> bool:
    """Whether a run has written into the folder."""
    return os.access(folder / STATE_DIR / "state.sqlite", os.F_OK)  # false if the folder may not be entered


@contextmanager
def peek_store(folder: Path, *, beside: bool, tell: Tell = silent, keep: bool = True) -> Iterator[OutputStore]:
    """Open a copy of the record for planning: nothing on the disk is changed or locked."""
    folder = Path(os.path.abspath(folder))
    hidden, disks = folder / STATE_DIR, FileSystems(may_write=False)
    with ExitStack() as stack:
        state = stack.enter_context(closing(Database.copy_of(hidden / "state.sqlite")))
        recipe = stack.enter_context(reading_recipes(hidden / KEPT_NAME)) if keep else None
        manifest = Manifest(folder)
        yield OutputStore(folder, state, manifest, beside=beside, disks=disks, tell=tell, recipe_of_kept=recipe)
