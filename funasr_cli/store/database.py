"""The state of an output folder: inputs seen, the names they own, what was written, what was finished.

Paths are stored as bytes, because not every name is UTF-8.

The hashes and temporary names of outputs are recorded before the outputs are written, and their completion afterwards.
So after any crash the state knows which files are ours, whether old or new, and which temporary files to remove.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Any

from funasr_cli.store.connection import Connection
from funasr_cli.store.entries import FileStat, FinishedInput, KnownInput, OutputWrite, WrittenOutput, recipe_of
from funasr_cli.store.schema import STATE_TABLES


class Database(Connection):
    """The state of one output folder. Each method is one transaction and raises `RecordError` if that fails."""

    tables = STATE_TABLES

    def inputs(self) -> dict[bytes, KnownInput]:
        """All inputs by path."""
        shared: dict[str | None, str | None] = {}  # most rows have the same settings
        with self._errors():
            rows = self._db.execute(f"SELECT {INPUT_COLUMNS} FROM input")
            return {row[1]: _input(row, shared) for row in rows}

    def finished(self) -> list[FinishedInput]:
        """All inputs that are done or empty, in the order of their paths."""
        with self._errors():
            rows = self._db.execute(
                f"SELECT {INPUT_COLUMNS}, relative, "
                "(SELECT group_concat(DISTINCT format) FROM output WHERE output.input = input.id), "
                "(SELECT min(substr(path, 1, 1) = x'2f') FROM output WHERE output.input = input.id) "
                "FROM input WHERE status IN ('done', 'empty') ORDER BY path"
            ).fetchall()
        return [
            FinishedInput(
                _input(columns),
                PurePath(os.fsdecode(relative)),
                tuple(formats.split(",")) if formats else (),
                beside=bool(is_absolute),
            )
            for *columns, relative, formats, is_absolute in rows
        ]

    def add(self, new: Iterable[tuple[Path, PurePath, PurePath]]) -> list[KnownInput]:
        """Add new inputs with their names: (absolute path, relative path, name)."""
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
        """Inputs at this place in the tree whose files are gone: the tree may have been moved."""
        with self._errors():
            rows = self._db.execute(
                f"SELECT {INPUT_COLUMNS} FROM input WHERE relative = ?", (os.fsencode(relative),)
            ).fetchall()
        return [known for known in map(_input, rows) if not os.path.lexists(known.path)]

    def relative(self, known: KnownInput) -> PurePath:
        """The input's place in the tree that the outputs mirror."""
        with self._errors():
            (relative,) = self._db.execute("SELECT relative FROM input WHERE id = ?", (known.id,)).fetchone()
        return PurePath(os.fsdecode(relative))

    def rename(self, known: KnownInput, name: PurePath) -> None:
        """Give the outputs of an input another name, and forget those that were written under the old one."""
        with self._errors(), self._transaction():
            self._db.execute("UPDATE input SET name = ? WHERE id = ?", (os.fsencode(name), known.id))
            self._db.execute("DELETE FROM output WHERE input = ?", (known.id,))

    def moved(self, known: KnownInput, path: Path) -> None:
        """Record that the input, and the outputs beside it, are now found at `path`."""
        with self._errors(), self._transaction():
            self._db.execute("UPDATE input SET path = ? WHERE id = ?", (os.fsencode(path), known.id))
            for (key,) in self._db.execute("SELECT path FROM output WHERE input = ?", (known.id,)).fetchall():
                output = Path(os.fsdecode(key))
                if output.parent == known.path.parent:
                    beside = os.fsencode(path.with_name(output.name))
                    self._db.execute("UPDATE OR REPLACE output SET path = ? WHERE path = ?", (beside, key))

    def unchanged(self, looks: Iterable[tuple[KnownInput, FileStat]]) -> None:
        """Record the new stat of inputs whose files look different but have the same content."""
        with self._errors(), self._transaction():
            for known, stat in looks:
                self._set_stat(known, stat)

    def outputs(self, known: KnownInput) -> list[WrittenOutput]:
        """Every output written for the input."""
        with self._errors():
            rows = self._db.execute(
                "SELECT path, format, recipe FROM output WHERE input = ? AND recipe IS NOT NULL", (known.id,)
            ).fetchall()
        return [WrittenOutput(*row) for row in rows]

    def written(self) -> list[tuple[int, bytes, bytes]]:
        """All outputs that were written, each as the id of its input, the path of its input, and its own key."""
        with self._errors():
            return self._db.execute(
                "SELECT input.id, input.path, output.path FROM output JOIN input ON input.id = output.input "
                "WHERE recipe IS NOT NULL"
            ).fetchall()

    def hashes(self, key: bytes, known: KnownInput) -> set[str] | None:
        """Hashes by which an output of the input is known as ours: what we left there, and what we were about to write.

        None if the output belongs to another input.
        """
        with self._errors():
            row = self._db.execute("SELECT input, sha256, pending FROM output WHERE path = ?", (key,)).fetchone()
        if row is None:
            return set()
        return {value for value in row[1:] if value is not None} if row[0] == known.id else None

    def left_by(self, known: KnownInput) -> list[tuple[bytes, set[str]]]:
        """The outputs of the input: the key of each, and the hashes by which it is known as ours."""
        with self._errors():
            rows = self._db.execute("SELECT path, sha256, pending FROM output WHERE input = ?", (known.id,)).fetchall()
        return [(key, {value for value in hashes if value is not None}) for key, *hashes in rows]

    def holders_of(self, sha256: str) -> list[tuple[bytes, bytes]]:
        """The outputs recorded with this content: the key of each, and the path of its input."""
        with self._errors():
            return self._db.execute(
                "SELECT output.path, input.path FROM output JOIN input ON input.id = output.input WHERE ? IN "
                "(output.sha256, output.pending)",
                (sha256,),
            ).fetchall()

    def begin(self, known: KnownInput) -> int:
        """Count one more attempt; returns the number of attempts including this one."""
        with self._errors(), self._transaction():
            self._db.execute("UPDATE input SET attempts = attempts + 1 WHERE id = ?", (known.id,))
            (attempts,) = self._db.execute("SELECT attempts FROM input WHERE id = ?", (known.id,)).fetchone()
        return int(attempts)

    def mark_pending(self, known: KnownInput, writes: Iterable[OutputWrite]) -> None:
        """Record that outputs are about to be written: from now on each file may hold the old content or the new."""
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
        """Record that the input is done or has failed, and that `writes` are in place.

        For outputs that were marked pending but are not among `writes`, the old hash and the new stay known as ours.
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
        """Manifest lines that may not have reached the manifest yet, oldest input first."""
        with self._errors():
            rows = self._db.execute("SELECT record FROM input WHERE record IS NOT NULL ORDER BY id").fetchall()
        return [record for (record,) in rows]

    def recorded(self) -> None:
        """Record that all lines are in the manifest."""
        with self._errors(), self._transaction():
            self._db.execute("UPDATE input SET record = NULL WHERE record IS NOT NULL")

    def abandoned(self) -> list[Path]:
        """Temporary files that a killed run may have left. Its pending outputs stay known as ours."""
        with self._errors():
            rows = self._db.execute("SELECT temporary FROM output WHERE temporary IS NOT NULL").fetchall()
        return [Path(os.fsdecode(temporary)) for (temporary,) in rows]

    def swept(self) -> None:
        """Record that the temporary files are removed."""
        with self._errors(), self._transaction():
            self._db.execute("UPDATE output SET temporary = NULL WHERE temporary IS NOT NULL")

    def _set_stat(self, known: KnownInput, stat: FileStat) -> None:
        self._db.execute(
            "UPDATE input SET size = ?, mtime_ns = ?, inode = ? WHERE id = ?",
            (stat.size, stat.mtime_ns, stat.inode, known.id),
        )


INPUT_COLUMNS = "id, path, name, size, mtime_ns, inode, sha256, status, settings, attempts"


def _input(row: tuple[Any, ...], shared: dict[str | None, str | None] | None = None) -> KnownInput:
    """The input in a row of `INPUT_COLUMNS`; equal settings and statuses share one string through `shared`."""
    ident, path, name, size, mtime_ns, inode, sha256, status, settings, attempts = row
    if shared is not None:
        settings, status = shared.setdefault(settings, settings), shared.setdefault(status, status)
    stat = None if size is None else FileStat(size, mtime_ns, inode)
    return KnownInput(ident, path, name, stat, sha256, status, settings, attempts)
