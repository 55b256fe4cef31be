"""Memory that the parent and its children see at once: windows on their way, and where each worker is.

It is anonymous (memfd): nothing of it has a name in /dev/shm, whose 64 MB in a default container it does not use, and
nothing is left of it when the last process that holds it has gone. Pages that are never written cost nothing.
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
"""Room for the inputs of a window; Whisper's largest are 1.5 MB."""
OUTPUT_BYTES = 112 << 20
"""Room for its outputs; 30 s of SenseVoice's logits are 50 MB."""
SLOT_BYTES = INPUT_BYTES + OUTPUT_BYTES
ALIGNMENT_BYTES = 64


class SharedMemory:
    """`size` bytes of zeros, mapped. It goes to a child as an argument of its process, and in no other way."""

    def __init__(self, size: int) -> None:
        descriptor = os.memfd_create("funasr-cli", os.MFD_CLOEXEC)
        os.ftruncate(descriptor, size)
        self._map(descriptor, size)

    def _map(self, descriptor: int, size: int) -> None:
        self._descriptor, self._size = descriptor, size
        self._buffer = mmap.mmap(descriptor, size)

    def view(self, dtype: Any, count: int, offset: int) -> NDArray[Any]:
        """`count` items at `offset`, not copied."""
        return np.frombuffer(self._buffer, dtype, count, offset)

    def close(self) -> None:
        """Give back the descriptor; the mapping lives as long as a view of it does."""
        os.close(self._descriptor)

    def __getstate__(self) -> tuple[Any, int]:
        return reduction.DupFd(self._descriptor), self._size

    def __setstate__(self, state: tuple[Any, int]) -> None:
        duplicate, size = state
        self._map(duplicate.detach(), size)


class Slots:
    """Places for `count` windows, each with room for the inputs of a run and, apart from them, for its outputs.

    The outputs do not overwrite the inputs, so that a window can be run again when its device died half-way.
    """

    def __init__(self, count: int) -> None:
        self._memory = SharedMemory(count * SLOT_BYTES)

    def write_inputs(self, slot: int, arrays: Arrays) -> None:
        """Copy the inputs of a run into the slot. Raises `ValueError` where they are larger than it."""
        self._write(slot * SLOT_BYTES, INPUT_BYTES, arrays)

    def write_outputs(self, slot: int, arrays: Arrays) -> None:
        """Copy the outputs of a run into the slot. Raises `ValueError` where they are larger than it."""
        self._write(slot * SLOT_BYTES + INPUT_BYTES, OUTPUT_BYTES, arrays)

    def inputs(self, slot: int) -> Arrays:
        """The inputs in the slot: views, good until the next write."""
        return self._read(slot * SLOT_BYTES)

    def outputs(self, slot: int) -> Arrays:
        """The outputs in the slot: views, good until the slot is given away."""
        return self._read(slot * SLOT_BYTES + INPUT_BYTES)

    def close(self) -> None:
        """Give the memory back."""
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
        table = pickle.loads(self._memory.view(np.uint8, HEADER_BYTES, start).tobytes())  # what one of us wrote
        return {
            name: self._memory.view(dtype, math.prod(shape), start + at).reshape(shape)
            for name, dtype, shape, at in table
        }


@dataclass(frozen=True, slots=True)
class LaneProgress:
    """The job a lane is at, how many `seconds` of its audio were read and `recognized`, which share of it is
    recognised, as far as that is known, and when it said so (`time.monotonic`)."""

    job: int
    seconds: float
    recognized: float
    share: float
    seen: float


COLUMNS = 5
"""Numbers in a row of the board: the fields of `LaneProgress`."""


class ProgressBoard:
    """Where each lane of each worker is. It survives the worker's death, so the parent knows what it died of."""

    def __init__(self, rows: int) -> None:
        self._memory = SharedMemory(rows * COLUMNS * 8)

    def put(self, row: int, job: int, seconds: float, recognized: float, share: float) -> None:
        """The lane of this row is now at `seconds` of `job`."""
        self._memory.view(np.float64, COLUMNS, row * COLUMNS * 8)[:] = job, seconds, recognized, share, time.monotonic()

    def get(self, row: int) -> LaneProgress:
        """Where the lane of this row was last."""
        job, *values = self._memory.view(np.float64, COLUMNS, row * COLUMNS * 8).tolist()
        return LaneProgress(int(job), *values)

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
