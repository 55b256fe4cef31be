"""Memory shared by the parent and its children: slots for windows, and the progress of each worker.

It is anonymous (memfd): it has no name in /dev/shm, does not count towards the 64 MB of /dev/shm in a default
container, and is freed when the last process that has it exits. Pages that are never written cost nothing.
"""

from __future__ import annotations

import math
import mmap
import os
import pickle
import time
from dataclasses import dataclass
from multiprocessing import reduction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import Arrays

HEADER_BYTES = 4096
INPUT_BYTES = 16 << 20
"""Space for the inputs of a window; Whisper's take up to 1.5 MB."""
OUTPUT_BYTES = 112 << 20
"""Space for its outputs; 30 s of SenseVoice's logits take 50 MB."""
SLOT_BYTES = INPUT_BYTES + OUTPUT_BYTES
ALIGNMENT_BYTES = 64


class SharedMemory:
    """`size` mapped bytes, initially zero. Can only be passed to a child as an argument of its process."""

    def __init__(self, size: int) -> None:
        descriptor = os.memfd_create("funasr-cli", os.MFD_CLOEXEC)
        os.ftruncate(descriptor, size)
        self._map(descriptor, size)

    def _map(self, descriptor: int, size: int) -> None:
        self._descriptor, self._size = descriptor, size
        self._buffer = mmap.mmap(descriptor, size)

    def view(self, dtype: Any, count: int, offset: int) -> NDArray[Any]:
        """`count` items at `offset`, without copying."""
        return np.frombuffer(self._buffer, dtype, count, offset)

    def close(self) -> None:
        """Close the descriptor; the mapping lives as long as a view of it."""
        os.close(self._descriptor)

    def __getstate__(self) -> tuple[Any, int]:
        return reduction.DupFd(self._descriptor), self._size

    def __setstate__(self, state: tuple[Any, int]) -> None:
        duplicate, size = state
        self._map(duplicate.detach(), size)


class Slots:
    """Slots for `count` windows, each with separate space for the inputs and the outputs of a run.

    The outputs do not overwrite the inputs, so a window can be run again if its device died halfway.
    """

    def __init__(self, count: int) -> None:
        self._memory = SharedMemory(count * SLOT_BYTES)

    def write_inputs(self, slot: int, arrays: Arrays) -> None:
        """Copy the inputs of a run into the slot. Raises `ValueError` if they do not fit."""
        self._write(slot * SLOT_BYTES, INPUT_BYTES, arrays)

    def write_outputs(self, slot: int, arrays: Arrays) -> None:
        """Copy the outputs of a run into the slot. Raises `ValueError` if they do not fit."""
        self._write(slot * SLOT_BYTES + INPUT_BYTES, OUTPUT_BYTES, arrays)

    def inputs(self, slot: int) -> Arrays:
        """The inputs in the slot, as views that are valid until the next write."""
        return self._read(slot * SLOT_BYTES)

    def outputs(self, slot: int) -> Arrays:
        """The outputs in the slot, as views that are valid until the slot is released."""
        return self._read(slot * SLOT_BYTES + INPUT_BYTES)

    def close(self) -> None:
        """Release the memory."""
        self._memory.close()

    def _write(self, start: int, size: int, arrays: Arrays) -> None:
        table, offset = [], HEADER_BYTES
        for name, array in arrays.items():
            table.append((name, array.dtype.str, array.shape, offset))
            offset += -(-array.nbytes // ALIGNMENT_BYTES) * ALIGNMENT_BYTES
        header = pickle.dumps(table)
        if offset > size or len(header) > HEADER_BYTES:
            raise ValueError(f"{offset} bytes of arrays do not fit into a slot of {size}")
        for (_, dtype, shape, at), array in zip(table, arrays.values(), strict=True):
            self._memory.view(dtype, array.size, start + at).reshape(shape)[...] = array
        self._memory.view(np.uint8, len(header), start)[:] = np.frombuffer(header, np.uint8)

    def _read(self, start: int) -> Arrays:
        table = pickle.loads(self._memory.view(np.uint8, HEADER_BYTES, start).tobytes())  # written by one of us
        return {
            name: self._memory.view(dtype, math.prod(shape), start + at).reshape(shape)
            for name, dtype, shape, at in table
        }


@dataclass(frozen=True, slots=True)
class LaneProgress:
    """The progress of a lane: its job, the `seconds` of audio read and `recognized`, the recognised share of the job
    (0 if its length is unknown), and when this was reported (`seen`, by `time.monotonic`)."""

    job: int
    seconds: float
    recognized: float
    share: float
    seen: float


COLUMNS = 5
"""Numbers in a row of the board, one for each field of `LaneProgress`."""


class ProgressBoard:
    """The progress of each lane of each worker. It survives a worker's death, so the parent knows where it died."""

    def __init__(self, rows: int) -> None:
        self._memory = SharedMemory(rows * COLUMNS * 8)

    def put(self, row: int, job: int, seconds: float, recognized: float, share: float) -> None:
        """Write the progress of the lane in this row."""
        self._memory.view(np.float64, COLUMNS, row * COLUMNS * 8)[:] = job, seconds, recognized, share, time.monotonic()

    def get(self, row: int) -> LaneProgress:
        """Read the last progress of the lane in this row."""
        job, *values = self._memory.view(np.float64, COLUMNS, row * COLUMNS * 8).tolist()
        return LaneProgress(int(job), *values)

    def close(self) -> None:
        """Release the memory."""
        self._memory.close()
