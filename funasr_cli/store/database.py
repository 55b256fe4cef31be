"""What the output folder remembers: inputs seen, the names they own, what was written, what was finished.

SQLite, because a run can be killed at any instant: a transaction is in it whole or not at all, its file is one that an
auditor can open with a tool he has, and looking up one of 100,000 inputs is cheap. It is used by one process at a time
(see `lock`). Paths are kept as bytes, for not every name is UTF-8.

Before outputs are written their hashes and temporary names are noted, and afterwards that they are done. So after any
death it is known which file is ours, whether old or new, and which temporary files are to be removed.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path, PurePath

from funasr_cli.errors import RecordError
from funasr_cli.files import shell_quoted
from funasr_cli.store.entries import FileStat, KnownInput, OutputWrite, WrittenOutput, recipe_of
from funasr_cli.store.schema import check_version, create_tables

logger = logging.getLogger(__name__)


class Database:
    """The record of one output folder. Each method is one transaction; raises `RecordError` where it cannot be kept.

    It may be handed from thread to thread, but is used by one at a time.
    """

    def __init__(self, path: Path | str) -> None:
        self._path = path
        with self._errors():
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        with ExitStack() as opened, self._errors():
            opened.callback(self.close)
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA journal_mode = PERSIST")  # to make and remove one each time takes twice as long
            self._db.execute("PRAGMA foreign_keys = ON")
            logger.debug("state in %s", path)
            if check_version(self._db, path) == 0:
                with self._transaction():
                    create_tables(self._db)
            opened.pop_all()

    @classmethod
    def copy_of(cls, path: Path) -> Database:
        """A copy in memory of the state in the file `path`; an empty one where there is none."""
        copy = cls(":memory:")
        with ExitStack() as opened:
            opened.callback(copy.close)
            if path.exists():
                copy._path = path  # which errors are about
                uri = f"{path.absolute().as_uri()}?mode=ro"
                with copy._errors(), closing(sqlite3.connect(uri, uri=True)) as source:
                    source.backup(copy._db)
                check_version(copy._db, path)
            opened.pop_all()
        return copy

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def inputs(self) -> dict[bytes, KnownInput]:
        """All inputs by their path."""
        with self._errors():
            rows = self._db.execute(f"SELECT {INPUT_COLUMNS} FROM input").fetchall()
        return {row[1]: _input(row) for row in rows}

    def add(self, new: Iterable[tuple[Path, PurePath, PurePath]]) -> None:
        """Give names to new inputs: (absolute path, relative path, name)."""
        with self._errors(), self._transaction():
            self._db.executemany(
                "INSERT INTO input (path, relative, name) VALUES (?, ?, ?)",
                [tuple(map(os.fsencode, row)) for row in new],
            )

    def gone_from(self, relative: PurePath) -> list[KnownInput]:
        """Inputs of the same place in the tree that are no longer where they were: the tree may have been moved."""
        with self._errors():
            rows = self._db.execute(
                f"SELECT {INPUT_COLUMNS} FROM input WHERE relative = ?", (os.fsencode(relative),)
            ).fetchall()
        return [known for known in map(_input, rows) if not os.path.lexists(known.path)]

    def moved(self, known: KnownInput, path: Path) -> None:
        """The input is now found at `path`, and so are the outputs that were beside it."""
        with self._errors(), self._transaction():
            self._db.execute("UPDATE input SET path = ? WHERE id = ?", (os.fsencode(path), known.id))
            for (key,) in self._db.execute("SELECT path FROM output WHERE input = ?", (known.id,)).fetchall():
                output = Path(os.fsdecode(key))
                if output.parent == known.path.parent:
                    beside = os.fsencode(path.with_name(output.name))
                    self._db.execute("UPDATE OR REPLACE output SET path = ? WHERE path = ?", (beside, key))

    def unchanged(self, known: KnownInput, stat: FileStat) -> None:
        """The content is the same although the file looks different: remember its new looks."""
        with self._errors(), self._transaction():
            self._set_stat(known, stat)

    def outputs(self) -> dict[int, list[WrittenOutput]]:
        """For each input's id every output written for it."""
        with self._errors():
            rows = self._db.execute(
                "SELECT input, path, format, recipe FROM output WHERE recipe IS NOT NULL"
            ).fetchall()
        found: dict[int, list[WrittenOutput]] = {}
        for owner, key, kind, recipe in rows:
            found.setdefault(owner, []).append(WrittenOutput(key, kind, recipe))
        return found

    def hashes(self, key: bytes, known: KnownInput) -> set[str] | None:
        """What an output of the input may hold and still be ours: what we left there, what we were about to write.

        None where the output belongs to another input.
        """
        with self._errors():
            row = self._db.execute("SELECT input, sha256, pending FROM output WHERE path = ?", (key,)).fetchone()
        if row is None:
            return set()
        return {value for value in row[1:] if value is not None} if row[0] == known.id else None

    def begin(self, known: KnownInput) -> int:
        """Count one more attempt; returns how many there were with it."""
        with self._errors(), self._transaction():
            self._db.execute("UPDATE input SET attempts = attempts + 1 WHERE id = ?", (known.id,))
            (attempts,) = self._db.execute("SELECT attempts FROM input WHERE id = ?", (known.id,)).fetchone()
        return int(attempts)

    def mark_pending(self, known: KnownInput, writes: Iterable[OutputWrite]) -> None:
        """Outputs are about to be written: what is there may be the old or the new from now on."""
        with self._errors(), self._transaction():
            self._db.executemany(
                "INSERT INTO output (path, input, format, sha256, pending, temporary) "
                "VALUES (:key, :input, :format, :present, :sha256, :temporary) ON CONFLICT (path) DO UPDATE SET "
                "input = :input, format = :format, sha256 = :present, recipe = NULL, pending = :sha256, "
                "temporary = :temporary",
                [
                    {
                        "key": write.key,
                        "input": known.id,
                        "format": write.format,
                        "present": write.present,
                        "sha256": write.sha256,
                        "temporary": os.fsencode(write.temporary),
                    }
                    for write in writes
                ],
            )

    def finish(
        self,
        known: KnownInput,
        status: str,
        *,
        stat: FileStat | None,
        sha256: str | None,
        settings: str,
        record: str,
        writes: Iterable[OutputWrite],
    ) -> None:
        """The input is done or has failed, and `writes` are in place.

        Of other outputs that were announced, both the old hash and the new stay known as ours.
        """
        with self._errors(), self._transaction():
            self._db.executemany(
                "UPDATE output SET sha256 = pending, pending = NULL, temporary = NULL, recipe = ? WHERE path = ?",
                [(recipe_of(sha256, settings), write.key) for write in writes],
            )
            failed = status == "failed"
            self._db.execute(
                "UPDATE input SET status = ?, sha256 = ?, settings = ?, record = ?, "
                f"attempts = {'attempts' if failed else '0'} WHERE id = ?",
                (status, sha256, settings, record, known.id),
            )
            if stat is not None:
                self._set_stat(known, stat)

    def unrecorded(self) -> list[str]:
        """Lines for the manifest that may not be in it, oldest input first."""
        with self._errors():
            rows = self._db.execute("SELECT record FROM input WHERE record IS NOT NULL ORDER BY id").fetchall()
        return [record for (record,) in rows]

    def recorded(self) -> None:
        """All lines are in the manifest."""
        with self._errors(), self._transaction():
            self._db.execute("UPDATE input SET record = NULL WHERE record IS NOT NULL")

    def abandoned(self) -> list[Path]:
        """Temporary files that a killed run may have left. Its announced outputs stay known as ours."""
        with self._errors():
            rows = self._db.execute("SELECT temporary FROM output WHERE temporary IS NOT NULL").fetchall()
        return [Path(os.fsdecode(temporary)) for (temporary,) in rows]

    def swept(self) -> None:
        """The temporary files are removed."""
        with self._errors(), self._transaction():
            self._db.execute("UPDATE output SET temporary = NULL WHERE temporary IS NOT NULL")

    def _set_stat(self, known: KnownInput, stat: FileStat) -> None:
        self._db.execute(
            "UPDATE input SET size = ?, mtime_ns = ?, inode = ? WHERE id = ?",
            (stat.size, stat.mtime_ns, stat.inode, known.id),
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done within is one transaction."""
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
            hint = _way_out(Path(self._path).parent) if damaged else None
            raise RecordError(f"the record of this run cannot be kept: {error}", where=self._path, hint=hint) from error


def _way_out(folder: Path) -> str:
    """What to do about a record that is damaged."""
    return (
        "It is damaged. Restore it from a backup, or begin a new one: "
        f"mv {shell_quoted(folder)} {shell_quoted(folder)}.damaged\n"
        "  What is lost is which recordings are done and which names theirs are: all are done again, and a text that "
        "comes out otherwise\n  than before goes to NAME.new.FORMAT. Outputs and manifest.jsonl stay as they are."
    )


INPUT_COLUMNS = "id, path, name, size, mtime_ns, inode, sha256, status, settings, attempts"


def _input(row: tuple[int, bytes, bytes, int, int, int, str | None, str | None, str | None, int]) -> KnownInput:
    ident, path, name, size, mtime_ns, inode, sha256, status, settings, attempts = row
    stat = None if size is None else FileStat(size, mtime_ns, inode)
    return KnownInput(
        ident, Path(os.fsdecode(path)), PurePath(os.fsdecode(name)), stat, sha256, status, settings, attempts
    )
