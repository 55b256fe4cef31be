"""Recognition results, kept beside the state so that outputs can be written again without running the model."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

from funasr_cli.callbacks import Tell
from funasr_cli.errors import RecordError, writing
from funasr_cli.files import printable, shell_quoted
from funasr_cli.hotwords import Hotword
from funasr_cli.store.connection import Connection
from funasr_cli.store.entries import KnownInput
from funasr_cli.store.schema import KEPT_TABLES

logger = logging.getLogger(__name__)

KEPT_NAME = "transcripts.sqlite"
"""A separate file, so that the state, which `--dry-run` copies, stays small."""


class KeptRecognitions(Connection):
    """The recognition results of one output folder, by input. Each method is one transaction.

    A result is stored before the state records the recording as done. So after any crash either the result is here or
    the recording is done again. `recipe` shows whether a result belongs to the current content and settings.
    """

    tables = KEPT_TABLES

    def put(self, known: KnownInput, recipe: str, packed: bytes) -> None:
        """Store the result of an input, replacing an earlier one."""
        with self._errors(), self._transaction():
            self._db.execute("INSERT OR REPLACE INTO recognition VALUES (?, ?, ?)", (known.id, recipe, packed))

    def recipe(self, known: KnownInput) -> str | None:
        """The recipe of an input's result; None if there is no result."""
        with self._errors():
            return _recipe(self._db, known)

    def packed(self, known: KnownInput) -> bytes:
        """The stored result of an input that has a `recipe`."""
        with self._errors():
            (packed,) = self._db.execute("SELECT packed FROM recognition WHERE input = ?", (known.id,)).fetchone()
        return bytes(packed)

    def put_hotwords(self, sha256: str, words: Iterable[Hotword]) -> None:
        """Store a list of hotwords under its hash, which the settings contain."""
        text = json.dumps([(word.text, word.weight) for word in words])
        with self._errors(), self._transaction():
            self._db.execute("INSERT OR IGNORE INTO hotwords VALUES (?, ?)", (sha256, text))

    def hotwords(self, sha256: str | None) -> tuple[Hotword, ...]:
        """The list of hotwords with this hash; empty without a hash or a list."""
        with self._errors():
            row = self._db.execute("SELECT words FROM hotwords WHERE sha256 = ?", (sha256,)).fetchone()
        return tuple(Hotword(text, weight) for text, weight in json.loads(row[0])) if row else ()

    def _way_out(self) -> str:
        path = shell_quoted(Path(self._path))
        return (
            f"The file is damaged: mv {path} {path}.damaged\n"
            "  Recordings stay done. Their outputs cannot be rendered until they are transcribed again."
        )


def open_kept(path: Path, tell: Tell) -> KeptRecognitions:
    """Open a file of recognition results. A damaged one is renamed, with a warning, and a new one is begun.

    Raises `RecordError`, or `MachineError` if the file was written by a newer version.
    """
    try:
        return KeptRecognitions(path)
    except RecordError as error:
        if type(error.__cause__) is not sqlite3.DatabaseError:
            raise
    aside = path.with_name(f"{path.name}.damaged")
    with writing(path, RecordError):
        path.replace(aside)
        _journal_of(path).unlink(missing_ok=True)
    tell(
        f"warning: {printable(path)} is damaged and was renamed to {aside.name}; the outputs of earlier recordings "
        "cannot be rendered until they are transcribed again"
    )
    return KeptRecognitions(path)


@contextmanager
def reading_recipes(path: Path) -> Iterator[Callable[[KnownInput], str | None]]:
    """Look up `KeptRecognitions.recipe` in a file without changing it; None for all if it is missing or unreadable."""
    with ExitStack() as opened:
        db: sqlite3.Connection | None = None
        with suppress(sqlite3.Error):
            db = opened.enter_context(closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)))

        def recipe(known: KnownInput) -> str | None:
            try:
                return _recipe(db, known) if db else None
            except sqlite3.Error as error:
                logger.debug("%s: %s", path, error)
                return None

        yield recipe


def _recipe(db: sqlite3.Connection, known: KnownInput) -> str | None:
    row = db.execute("SELECT recipe FROM recognition WHERE input = ?", (known.id,)).fetchone()
    return None if row is None else str(row[0])


def _journal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-journal")


def forget(path: Path) -> None:
    """Remove a file of recognition results. Raises `RecordError`."""
    for each in (path, _journal_of(path)):
        try:
            each.unlink(missing_ok=True)
        except OSError as error:
            raise RecordError(f"--no-keep cannot remove this file: {error.strerror}", where=each) from error
