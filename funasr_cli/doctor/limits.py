"""Checks of process limits set by shells, clusters and service managers that could keep a run from starting."""

from __future__ import annotations

import resource

from funasr_cli.doctor.check import Check
from funasr_cli.errors import MachineError
from funasr_cli.executors.placement import WHISPER_BATCH
from funasr_cli.files import megabytes
from funasr_cli.pool.sizing import CORES_PER_WORKER, cpu_placement
from funasr_cli.system.refusals import check_open_files, open_files_limit
from funasr_cli.system.resources import usable_cores

SLOT_BYTES = 128 << 20
"""Address space that a process of a run maps per window; as in `pool.shared_memory`, which would load NumPy."""

MAPPED_BYTES = 500_000_000
"""Other address space: libraries and a small model. Measured: on two cores, a process needs 1.3 to 1.5 GB in all."""


def limit_checks() -> list[Check]:
    """Check the limit of open files and, if there is one, of address space."""
    workers = max(2, usable_cores() // CORES_PER_WORKER)
    files = Check("open files", f"up to {open_files_limit()}")
    try:
        check_open_files(workers + 1)
    except MachineError as error:
        files = Check("open files", error.what, "problem", "ulimit -n 1024")
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return [files]
    windows = cpu_placement(usable_cores()).runs * WHISPER_BATCH + 2 + 2 * workers  # for the most demanding model
    needed = MAPPED_BYTES + windows * SLOT_BYTES
    text = f"up to {megabytes(limit)} per process (ulimit -v)"
    if limit >= needed:
        return [files, Check("addresses", text)]
    text += f", but a run with {workers} workers needs {megabytes(needed)}"
    return [files, Check("addresses", text, "problem", "ulimit -v unlimited")]
