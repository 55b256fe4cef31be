"""Recognition results, kept beside the state so that outputs can be written again without running the model."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from funasr_cli.errors import RecordError
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

    def recipes(self) -> dict[int, str]:
        """The recipe of each result, by the id of its input."""
        with self._errors():
            return dict(self._db.execute("SELECT input, recipe FROM recognition"))

    def packed(self, known: KnownInput) -> bytes:
        """The stored result of an input that is in `recipes`."""
        with self._errors():
            (packed,) = self._db.execute("SELECT packed FROM recognition WHERE input = ?", (known.id,)).fetchone()
        return bytes(packed)

    def put_hotwords(self, sha256: str, words: Iterable[Hotword]) -> None:
        """Store a list of hotwords under its hash, which the settings contain."""
        text = json.dumps([(word.text, word.weight) for word in words])
        with self._errors(), self._transaction():
            self._db.execute("INSERT OR REPLACE INTO hotwords VALUES (?, ?)", (sha256, text))

    def hotwords(self, sha256: str | None) -> tuple[Hotword, ...]:
        """The list of hotwords with this hash; empty without a hash or a list."""
        with self._errors():
            row = self._db.execute("SELECT words FROM hotwords WHERE sha256 = ?", (sha256,)).fetchone()
        return tuple(Hotword(text, weight) for text, weight in json.loads(row[0])) if row else ()


def recipes_in(path: Path) -> dict[int, str]:
    """The `recipes` in a file, which is not changed; empty if it is missing or currently unreadable."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
            return dict(db.execute("SELECT input, recipe FROM recognition"))
    except sqlite3.Error as error:
        logger.debug("%s: %s", path, error)
        return {}


def forget(path: Path) -> None:
    """Remove a file of recognition results. Raises `RecordError`."""
    for each in (path, path.with_name(f"{path.name}-journal")):
        try:
            each.unlink(missing_ok=True)
        except OSError as error:
            raise RecordError(f"--no-keep cannot remove this file: {error.strerror}", where=each) from error
