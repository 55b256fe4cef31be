"""What the output folder remembers: inputs seen, the names they own, what was written, what was finished.

Paths are kept as bytes, for not every name is UTF-8.

Before outputs are written their hashes and temporary names are noted, and afterwards that they are done. So after any
death it is known which file is ours, whether old or new, and which temporary files are to be removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Any

from funasr_cli.store.connection import Connection
from funasr_cli.store.entries import FileStat, KnownInput, OutputWrite, WrittenOutput, recipe_of


class Database(Connection):
    """The record of one output folder. Each method is one transaction; raises `RecordError` where it cannot be kept."""

    def inputs(self) -> dict[bytes, KnownInput]:
        """All inputs by their path."""
        shared: dict[str | None, str | None] = {}  # most rows have the same settings
        with self._errors():
            rows = self._db.execute(f"SELECT {INPUT_COLUMNS} FROM input")
            return {row[1]: _input(row, shared) for row in rows}

    def add(self, new: Iterable[tuple[Path, PurePath, PurePath]]) -> list[KnownInput]:
        """Give names to new inputs: (absolute path, relative path, name)."""
        added = []
        with self._errors(), self._transaction():
            for row in new:
                path, relative, name = map(os.fsencode, row)
                ident = self._db.execute(
                    "INSERT INTO input (path, relative, name) VALUES (?, ?, ?)", (path, relative, name)
                ).lastrowid
                added.append(KnownInput(ident or 0, path, name, None, None, None, None, 0))
        return added

    def gone_from(self, relative: PurePath) -> list[KnownInput]:
        """Inputs of the same place in the tree that are no longer where they were: the tree may have been moved."""
        with self._errors():
            rows = self._db.execute(
                f"SELECT {INPUT_COLUMNS} FROM input WHERE relative = ?", (os.fsencode(relative),)
            ).fetchall()
        return [known for known in map(_input, rows) if not os.path.lexists(known.path)]

    def relative(self, known: KnownInput) -> PurePath:
        """Its place in the tree that the outputs mirror."""
        with self._errors():
            (relative,) = self._db.execute("SELECT relative FROM input WHERE id = ?", (known.id,)).fetchone()
        return PurePath(os.fsdecode(relative))

    def rename(self, known: KnownInput, name: PurePath) -> None:
        """Give the outputs of an input another name; what was written under the old one is no longer on record."""
        with self._errors(), self._transaction():
            self._db.execute("UPDATE input SET name = ? WHERE id = ?", (os.fsencode(name), known.id))
            self._db.execute("DELETE FROM output WHERE input = ?", (known.id,))

    def moved(self, known: KnownInput, path: Path) -> None:
        """The input is now found at `path`, and so are the outputs that were beside it."""
        with self._errors(), self._transaction():
            self._db.execute("UPDATE input SET path = ? WHERE id = ?", (os.fsencode(path), known.id))
            for (key,) in self._db.execute("SELECT path FROM output WHERE input = ?", (known.id,)).fetchall():
                output = Path(os.fsdecode(key))
                if output.parent == known.path.parent:
                    beside = os.fsencode(path.with_name(output.name))
                    self._db.execute("UPDATE OR REPLACE output SET path = ? WHERE path = ?", (beside, key))

    def unchanged(self, looks: Iterable[tuple[KnownInput, FileStat]]) -> None:
        """The contents are the same although the files look different: remember their new looks."""
        with self._errors(), self._transaction():
            for known, stat in looks:
                self._set_stat(known, stat)

    def outputs(self, known: KnownInput) -> list[WrittenOutput]:
        """Every output that was written for the input."""
        with self._errors():
            rows = self._db.execute(
                "SELECT path, format, recipe FROM output WHERE input = ? AND recipe IS NOT NULL", (known.id,)
            ).fetchall()
        return [WrittenOutput(*row) for row in rows]

    def written(self) -> list[tuple[int, bytes, bytes]]:
        """All outputs that were written: the id and the path of the input of each, and its key."""
        with self._errors():
            return self._db.execute(
                "SELECT input.id, input.path, output.path FROM output JOIN input ON input.id = output.input "
                "WHERE recipe IS NOT NULL"
            ).fetchall()

    def hashes(self, key: bytes, known: KnownInput) -> set[str] | None:
        """What an output of the input may hold and still be ours: what we left there, what we were about to write.

        None where the output belongs to another input.
        """
        with self._errors():
            row = self._db.execute("SELECT input, sha256, pending FROM output WHERE path = ?", (key,)).fetchone()
        if row is None:
            return set()
        return {value for value in row[1:] if value is not None} if row[0] == known.id else None

    def left_by(self, known: KnownInput) -> list[tuple[bytes, set[str]]]:
        """Each output of the input, by its key, and the hashes of what it may hold."""
        with self._errors():
            rows = self._db.execute("SELECT path, sha256, pending FROM output WHERE input = ?", (known.id,)).fetchall()
        return [(key, {value for value in hashes if value is not None}) for key, *hashes in rows]

    def holders_of(self, sha256: str) -> list[tuple[bytes, bytes]]:
        """The outputs that were left with this content: the key of each, and the path of its input."""
        with self._errors():
            return self._db.execute(
                "SELECT output.path, input.path FROM output JOIN input ON input.id = output.input WHERE ? IN "
                "(output.sha256, output.pending)",
                (sha256,),
            ).fetchall()

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


INPUT_COLUMNS = "id, path, name, size, mtime_ns, inode, sha256, status, settings, attempts"


def _input(row: tuple[Any, ...], shared: dict[str | None, str | None] | None = None) -> KnownInput:
    """Of a row of `INPUT_COLUMNS`; settings that are in `shared` already are not kept twice."""
    ident, path, name, size, mtime_ns, inode, sha256, status, settings, attempts = row
    if shared is not None:
        settings, status = shared.setdefault(settings, settings), shared.setdefault(status, status)
    stat = None if size is None else FileStat(size, mtime_ns, inode)
    return KnownInput(ident, path, name, stat, sha256, status, settings, attempts)
