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
from funasr_cli.pool.client import Link
from funasr_cli.pool.protocol import Broke, Give, Ran, Run, Take, Want
from funasr_cli.pool.shared_memory import INPUT_BYTES, Slots

WINDOW = {"speech": np.ones(3, np.float32)}
Play = Callable[[Link, Connection], Coroutine[Any, Any, None]]


@pytest.fixture
def play() -> Callable[[Play], None]:
    """Runs a scene between a link and the parent's end of its pipe."""

    def play(scene: Play) -> None:
        here, there = Pipe()
        slots = Slots(3)

        async def stage() -> None:
            await asyncio.wait_for(scene(Link(there, slots), here), 10)

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


async def run(link: Link) -> float:
    async with link.run(WINDOW) as outcome:
        return outcome.seconds


def test_a_window_goes_out_and_its_slot_comes_back(play: Callable[[Play], None]) -> None:
    async def scene(link: Link, parent: Connection) -> None:
        task = asyncio.create_task(run(link))
        assert await heard(parent) == Want()
        parent.send(Take(2))
        assert await heard(parent) == Run(2)
        link._slots.write_outputs(2, WINDOW)
        parent.send(Ran(2, 0.5, "cpu"))
        assert await task == 0.5
        assert await heard(parent) == Give(2)

    play(scene)


def test_windows_of_one_recording_may_all_break(play: Callable[[Play], None]) -> None:
    async def scene(link: Link, parent: Connection) -> None:
        tasks = [asyncio.create_task(run(link)) for _ in range(2)]
        for slot in range(2):
            assert await heard(parent) == Want()
            parent.send(Take(slot))
            assert await heard(parent) == Run(slot)
        parent.send(Broke(0, ModelError("no")))
        with pytest.raises(ModelError):
            await tasks[0]
        tasks[1].cancel()  # as the recording does when one of its windows fails
        parent.send(Broke(1, ModelError("no")))
        assert {await heard(parent), await heard(parent)} == {Give(0), Give(1)}

    play(scene)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_slot_that_comes_too_late_is_given_back(play: Callable[[Play], None], when: str) -> None:
    async def scene(link: Link, parent: Connection) -> None:
        task = asyncio.create_task(run(link))
        assert await heard(parent) == Want()
        if when == "before":
            task.cancel()
            await asyncio.sleep(0)
        parent.send(Take(1))
        link._receive()
        task.cancel()
        assert await heard(parent) == Give(1)

    play(scene)


def test_an_answer_that_nobody_waits_for_gives_its_slot_back(play: Callable[[Play], None]) -> None:
    async def scene(link: Link, parent: Connection) -> None:
        task = asyncio.create_task(run(link))
        await heard(parent)
        parent.send(Take(1))
        assert await heard(parent) == Run(1)
        task.cancel()
        await asyncio.sleep(0)
        parent.send(Ran(1, 0.1, "cpu"))
        assert await heard(parent) == Give(1)

    play(scene)


def test_a_window_that_does_not_fit_gives_its_slot_back(play: Callable[[Play], None]) -> None:
    async def scene(link: Link, parent: Connection) -> None:
        async def too_large() -> None:
            async with link.run({"speech": np.empty(INPUT_BYTES, np.uint8)}):
                pass

        task = asyncio.create_task(too_large())
        await heard(parent)
        parent.send(Take(0))
        with pytest.raises(ValueError, match="do not fit"):
            await task
        assert await heard(parent) == Give(0)

    play(scene)
