"""A worker's end of its pipe, with a parent that answers as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pytest

from funasr_cli.errors import ModelError
from funasr_cli.pool.client import CoordinatorClient
from funasr_cli.pool.protocol import RunWindow, SlotGranted, SlotReleased, SlotRequest, WindowDone, WindowFailed
from funasr_cli.pool.shared_memory import INPUT_BYTES, Slots

WINDOW = {"speech": np.ones(3, np.float32)}
Play = Callable[[CoordinatorClient, Connection], Coroutine[Any, Any, None]]


@pytest.fixture
def play() -> Callable[[Play], None]:
    """Runs a scene between a link and the parent's end of its pipe."""

    def play(scene: Play) -> None:
        here, there = Pipe()
        slots = Slots(3)

        async def stage() -> None:
            await asyncio.wait_for(scene(CoordinatorClient(there, slots, lanes=2), here), 10)

        asyncio.run(stage())
        assert not here.poll(), f"nobody waited for {here.recv()}"
        for end in (here, there):
            end.close()
        slots.close()

    return play


async def heard(parent: Connection) -> object:
    while not parent.poll():
        await asyncio.sleep(0.001)
    return parent.recv()


async def run(client: CoordinatorClient) -> float:
    async with client.run(WINDOW) as outcome:
        return outcome.seconds


def test_a_window_goes_out_and_its_slot_comes_back(play: Callable[[Play], None]) -> None:
    async def scene(client: CoordinatorClient, parent: Connection) -> None:
        task = asyncio.create_task(run(client))
        assert await heard(parent) == SlotRequest()
        parent.send(SlotGranted(2))
        assert await heard(parent) == RunWindow(2)
        client._slots.write_outputs(2, WINDOW)
        parent.send(WindowDone(2, 0.5, "cpu"))
        assert await task == 0.5
        assert await heard(parent) == SlotReleased(2)

    play(scene)


def test_windows_of_one_recording_may_all_break(play: Callable[[Play], None]) -> None:
    async def scene(client: CoordinatorClient, parent: Connection) -> None:
        tasks = [asyncio.create_task(run(client)) for _ in range(2)]
        for slot in range(2):
            assert await heard(parent) == SlotRequest()
            parent.send(SlotGranted(slot))
            assert await heard(parent) == RunWindow(slot)
        parent.send(WindowFailed(0, ModelError("no")))
        with pytest.raises(ModelError):
            await tasks[0]
        tasks[1].cancel()  # as the recording does when one of its windows fails
        parent.send(WindowFailed(1, ModelError("no")))
        assert {await heard(parent), await heard(parent)} == {SlotReleased(0), SlotReleased(1)}

    play(scene)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_slot_that_comes_too_late_is_given_back(play: Callable[[Play], None], when: str) -> None:
    async def scene(client: CoordinatorClient, parent: Connection) -> None:
        task = asyncio.create_task(run(client))
        assert await heard(parent) == SlotRequest()
        if when == "before":
            task.cancel()
            await asyncio.sleep(0)
        parent.send(SlotGranted(1))
        client._receive()
        task.cancel()
        assert await heard(parent) == SlotReleased(1)

    play(scene)


def test_an_answer_that_nobody_waits_for_gives_its_slot_back(play: Callable[[Play], None]) -> None:
    async def scene(client: CoordinatorClient, parent: Connection) -> None:
        task = asyncio.create_task(run(client))
        await heard(parent)
        parent.send(SlotGranted(1))
        assert await heard(parent) == RunWindow(1)
        task.cancel()
        await asyncio.sleep(0)
        parent.send(WindowDone(1, 0.1, "cpu"))
        assert await heard(parent) == SlotReleased(1)

    play(scene)


def test_it_is_crowded_while_more_windows_wait_for_slots_than_there_are_lanes(
    play: Callable[[Play], None],
) -> None:
    async def scene(client: CoordinatorClient, parent: Connection) -> None:
        tasks = [asyncio.create_task(run(client)) for _ in range(3)]
        assert await heard(parent) == SlotRequest()
        assert client.is_crowded
        parent.send(SlotGranted(0))
        assert {await heard(parent), await heard(parent)} == {RunWindow(0), SlotRequest()}
        assert not client.is_crowded
        tasks[2].cancel()  # while it waits for its turn
        parent.send(SlotGranted(1))
        assert await heard(parent) == RunWindow(1)
        for slot in range(2):
            client._slots.write_outputs(slot, WINDOW)
            parent.send(WindowDone(slot, 0.5, "cpu"))
            assert await tasks[slot] == 0.5
            assert await heard(parent) == SlotReleased(slot)

    play(scene)


def test_a_window_that_does_not_fit_gives_its_slot_back(play: Callable[[Play], None]) -> None:
    async def scene(client: CoordinatorClient, parent: Connection) -> None:
        async def too_large() -> None:
            async with client.run({"speech": np.empty(INPUT_BYTES, np.uint8)}):
                pass

        task = asyncio.create_task(too_large())
        await heard(parent)
        parent.send(SlotGranted(0))
        with pytest.raises(ValueError, match="do not fit"):
            await task
        assert await heard(parent) == SlotReleased(0)

    play(scene)
