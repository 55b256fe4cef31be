"""The exit codes of the program. Scripts rely on them: none of them changes."""

from __future__ import annotations

FAILED = 1
"""A recording failed, a check found something, or the program has a defect; what could be done is done."""

USAGE = 2
"""The command line or the configuration asks for something that makes no sense. click uses 2 for this, too."""

NO_AUDIO = 3
"""Nothing in what was named is audio."""

MACHINE = 4
"""The machine lacks something: a model, a device, a program, memory, a stream."""

RECORD = 5
"""The state or the manifest cannot be written."""

BUSY = 6
"""Another run holds the output folder."""

HUNG_UP = 129
"""128 + SIGHUP: the terminal or the connection is gone."""

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""

READER_GONE = 141
"""128 + SIGPIPE: nobody reads standard output any more."""

TERMINATED = 143
"""128 + SIGTERM."""
