"""The connection to the state of an output folder: opening, transactions, and errors that say what to do.

The state is an SQLite file because a run can be killed at any instant: a transaction is stored whole or not at all.
Auditors can open the file with common tools, and looking up one of 100,000 inputs is cheap. One process uses it at a
time (see `lock`).
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, TypeVar

from funasr_cli.errors import RecordError, reading
from funasr_cli.files import shell_quoted
from funasr_cli.store.schema import Tables

logger = logging.getLogger(__name__)

Opened = TypeVar("Opened", bound="Connection")


class Connection:
    """A connection to the state of one output folder. Raises `RecordError` if the state cannot be read or written.

    Any thread may use it, but only one at a time.
    """

    tables: ClassVar[Tables]

    def __init__(self, path: Path | str) -> None:
        self._path = path
        with self._errors():
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        with ExitStack() as opened, self._errors():
            opened.callback(self.close)
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA journal_mode = PERSIST")  # creating and deleting the journal takes twice as long
            self._db.execute("PRAGMA foreign_keys = ON")
            logger.debug("state in %s", path)
            if self.tables.check_version(self._db, path) == 0:
                with self._transaction():
                    self.tables.create(self._db)
            opened.pop_all()

    @classmethod
    def copy_of(cls: type[Opened], path: Path) -> Opened:
        """A throwaway copy of the state in the file `path`; an empty state if there is no such file.

        SQLite keeps a large copy in a temporary file. Without a folder for temporary files, the copy is in memory. A
        transaction that was cut off (a power cut, a kill) is rolled back in the copy, and stays in the file.
        """
        if not path.exists():
            return cls(":memory:")
        try:
            return cls._filled("", path)
        except RecordError as error:
            if not isinstance(error.__cause__, sqlite3.OperationalError):
                raise
            if "readonly" in str(error.__cause__):  # SQLite would take back what was cut off
                return cls._recovered(path)
            return cls._filled(":memory:", path)

    @classmethod
    def _recovered(cls: type[Opened], path: Path) -> Opened:
        with reading(path, RecordError), TemporaryDirectory() as folder:
            for name in (path.name, f"{path.name}-journal"):
                shutil.copyfile(path.with_name(name), Path(folder) / name)
            cls(Path(folder) / path.name).close()
            copy = cls._filled("", Path(folder) / path.name)
        copy._path = path
        return copy

    @classmethod
    def _filled(cls: type[Opened], place: str, path: Path) -> Opened:
        copy = cls(place)
        with ExitStack() as opened:
            opened.callback(copy.close)
            copy._path = path  # the path that errors name
            uri = f"{path.absolute().as_uri()}?mode=ro"
            with copy._errors(), closing(sqlite3.connect(uri, uri=True)) as source:
                source.backup(copy._db)
            cls.tables.check_version(copy._db, path)
            opened.pop_all()
        return copy

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Combine everything within this context into one transaction."""
        with self._errors(), self._transaction():
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            damaged = type(error) is sqlite3.DatabaseError or str(error).startswith("no such")
            hint = self._way_out() if damaged else None
            raise RecordError(f"the state of this run cannot be saved: {error}", where=self._path, hint=hint) from error

    def _way_out(self) -> str:
        """Hint for a damaged file."""
        folder = shell_quoted(Path(self._path).parent)
        return (
            f"The state is damaged. Restore it from a backup, or start a new one: mv {folder} {folder}.damaged\n"
            "  A new state does not know which recordings are done and how their outputs are named: all are "
            "transcribed again,\n  and a text that differs from its file goes to NAME.new.FORMAT. Outputs and "
            "manifest.jsonl stay as they are."
        )
