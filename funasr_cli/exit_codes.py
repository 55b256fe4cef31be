"""The exit codes of the program. Scripts rely on them, so they never change."""

from __future__ import annotations

FAILED = 1
"""A recording failed, a check found something, or the program has a bug; the rest of the work is done."""

USAGE = 2
"""The command line or the configuration is wrong. click uses 2 for this, too."""

NO_AUDIO = 3
"""The named files and folders contain no audio."""

MACHINE = 4
"""Something is missing on the machine: a model, a device, a program, memory, a stream."""

RECORD = 5
"""The state or the manifest cannot be written."""

BUSY = 6
"""Another run is using the output folder."""

HUNG_UP = 129
"""128 + SIGHUP: the terminal or the connection is gone."""

INTERRUPTED = 130
"""128 + SIGINT, the convention of shells."""

READER_GONE = 141
"""128 + SIGPIPE: broken pipe, the reader closed standard output."""

TERMINATED = 143
"""128 + SIGTERM."""
