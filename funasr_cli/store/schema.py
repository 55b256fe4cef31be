"""The tables of the files beside the outputs, and their versions.

Paths are stored as bytes, because not every name is UTF-8.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.errors import MachineError

STATE = """
CREATE TABLE input (
    id INTEGER PRIMARY KEY,
    path BLOB NOT NULL UNIQUE,       -- absolute
    relative BLOB NOT NULL,          -- in the tree that the outputs mirror
    name BLOB NOT NULL UNIQUE,       -- of its outputs, without the format's ending; never changes
    size INTEGER, mtime_ns INTEGER, inode INTEGER, sha256 TEXT,   -- of what was last worked on (sha256) or done
    status TEXT,                     -- done, empty or failed; NULL: never finished
    settings TEXT,                   -- JSON of the settings it was done with
    attempts INTEGER NOT NULL DEFAULT 0,
    record TEXT                      -- its line for the manifest that may not be in it yet
);
CREATE INDEX input_relative ON input (relative);
CREATE TABLE output (
    path BLOB PRIMARY KEY,           -- absolute, or relative to the output folder
    input INTEGER NOT NULL REFERENCES input (id),
    format TEXT NOT NULL,
    sha256 TEXT,                     -- of what is there, as we left it
    recipe TEXT,                     -- what that was made from: hash of the input's content and the settings
    pending TEXT,                    -- sha256 of what is being written
    temporary BLOB                   -- the name under which it is being written
);
CREATE INDEX output_input ON output (input);
"""


KEPT = """
CREATE TABLE recognition (
    input INTEGER PRIMARY KEY,       -- its id in the state
    recipe TEXT NOT NULL,            -- hash of the input's content and of the settings of recognition
    packed BLOB NOT NULL             -- see outputs/packing.py
);
CREATE TABLE hotwords (
    sha256 TEXT PRIMARY KEY,         -- as in the settings of the state
    words TEXT NOT NULL              -- JSON: [[word, weight], …], in the order of the list
);
"""


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of one file. `version` grows with every change to them."""

    statements: str
    version: int

    def check_version(self, db: sqlite3.Connection, path: Path | str) -> int:
        """The version of the tables, 0 for none. Raises `MachineError` if they are newer than this program."""
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > self.version:
            raise MachineError("was written by a newer version of funasr-cli", where=path, hint="Upgrade funasr-cli.")
        return int(version)

    def create(self, db: sqlite3.Connection) -> None:
        """Create the tables, within a transaction of the caller."""
        for statement in self.statements.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {self.version}")


STATE_TABLES = Tables(STATE, version=1)
KEPT_TABLES = Tables(KEPT, version=1)
