"""Memory that a parent and its children see at once."""

from __future__ import annotations

import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from funasr_cli.pool.shared_memory import INPUT_BYTES, ProgressBoard, Slots


def double(pipe: Connection, slots: Slots, board: ProgressBoard) -> None:
    """A child: doubles what is in slot 1, and says where it is."""
    slots.write_outputs(1, {name: array * 2 for name, array in slots.inputs(1).items()})
    board.put(1, 7, 12.5, 5.0, 0.25)
    pipe.send("done")


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_child_sees_the_same_memory(method: str) -> None:
    slots, board = Slots(2), ProgressBoard(2)
    arrays = {"speech": np.arange(12, dtype=np.float32).reshape(1, 3, 4), "length": np.array([3], np.int32)}
    slots.write_inputs(0, {"other": np.ones(5)})
    slots.write_inputs(1, arrays)
    context = multiprocessing.get_context(method)
    here, there = context.Pipe()
    process = context.Process(target=double, args=(there, slots, board))
    process.start()
    assert here.recv() == "done"
    process.join()
    for name, array in slots.outputs(1).items():
        np.testing.assert_array_equal(array, arrays[name] * 2)
        assert array.dtype == arrays[name].dtype
        np.testing.assert_array_equal(slots.inputs(1)[name], arrays[name])  # the window could be run again
    where = board.get(1)
    assert (where.job, where.seconds, where.share) == (7, 12.5, 0.25)
    assert board.get(0).job == 0
    slots.close()
    board.close()


def test_nothing_of_it_has_a_name() -> None:
    before = set(Path("/dev/shm").iterdir())
    slots = Slots(4)
    slots.write_inputs(3, {"x": np.ones(1000)})
    assert set(Path("/dev/shm").iterdir()) == before
    slots.close()


def test_what_does_not_fit_is_refused() -> None:
    slots = Slots(1)
    with pytest.raises(ValueError, match="do not fit"):
        slots.write_inputs(0, {"x": np.empty(INPUT_BYTES, np.uint8)})
    slots.close()


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1, 0, 2)])
def test_arrays_without_items_go_through(shape: tuple[int, ...]) -> None:
    slots = Slots(1)
    slots.write_outputs(0, {"empty": np.ones(shape, np.float32), "full": np.ones(2, np.int64)})
    outputs = slots.outputs(0)
    assert (outputs["empty"].shape, outputs["full"].tolist()) == (shape, [1, 1])
    slots.close()
