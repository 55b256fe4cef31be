"""A worker's end of its pipe, with a parent that answers as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from funasr_cli.errors import ModelError
from funasr_cli.pool import client as client_module
from funasr_cli.pool.client import CoordinatorClient
from funasr_cli.pool.protocol import (
    JobAssigned,
    JobRequest,
    OutputsReady,
    RunWindow,
    SlotGranted,
    SlotReleased,
    SlotRequest,
    WindowDone,
    WindowFailed,
    WriteOutputs,
)
from funasr_cli.pool.shared_memory import INPUT_BYTES, Slots
from funasr_cli.store.entries import InputContent, TranscriptSummary

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
        with pytest.raises(asyncio.CancelledError):
            await task

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


@pytest.mark.parametrize("answer", [WindowDone(1, 0.1, "cpu"), WindowFailed(1, ModelError("no"))])
def test_an_answer_that_comes_as_its_window_is_given_up_gives_its_slot_back(
    play: Callable[[Play], None], answer: WindowDone | WindowFailed
) -> None:
    async def scene(client: CoordinatorClient, parent: Connection) -> None:
        task = asyncio.create_task(run(client))
        await heard(parent)
        parent.send(SlotGranted(1))
        assert await heard(parent) == RunWindow(1)
        parent.send(answer)
        client._receive()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await heard(parent) == SlotReleased(1)  # once, as `play` sees to

    play(scene)


def test_a_worker_wants_one_slot_at_a_time(play: Callable[[Play], None]) -> None:
    async def scene(client: CoordinatorClient, parent: Connection) -> None:
        tasks = [asyncio.create_task(run(client)) for _ in range(2)]
        for slot in (2, 0):
            assert await heard(parent) == SlotRequest()
            await asyncio.sleep(0)
            assert not parent.poll()
            parent.send(SlotGranted(slot))
            assert await heard(parent) == RunWindow(slot)
        for slot, task in zip((2, 0), tasks, strict=True):
            client._slots.write_outputs(slot, WINDOW)
            parent.send(WindowDone(slot, float(slot), "cpu"))
            assert await task == slot
            assert await heard(parent) == SlotReleased(slot)

    play(scene)


def test_what_was_wanted_by_a_window_that_is_given_up_is_not_the_next_ones(play: Callable[[Play], None]) -> None:
    async def scene(client: CoordinatorClient, parent: Connection) -> None:
        given_up = asyncio.create_task(run(client))
        assert await heard(parent) == SlotRequest()
        given_up.cancel()
        task = asyncio.create_task(run(client))
        assert await heard(parent) == SlotRequest()
        parent.send(SlotGranted(0))
        assert await heard(parent) == SlotReleased(0)
        parent.send(SlotGranted(1))
        assert await heard(parent) == RunWindow(1)
        client._slots.write_outputs(1, WINDOW)
        parent.send(WindowDone(1, 0.5, "cpu"))
        assert await task == 0.5
        assert await heard(parent) == SlotReleased(1)

    play(scene)


def test_a_slot_is_held_while_its_outputs_are_read_whatever_comes_of_it(play: Callable[[Play], None]) -> None:
    async def scene(client: CoordinatorClient, parent: Connection) -> None:
        async def read() -> None:
            async with client.run(WINDOW) as outcome:
                assert list(outcome.outputs) == ["doubled"]
                np.testing.assert_array_equal(outcome.outputs["doubled"], 2 * WINDOW["speech"])
                assert not parent.poll()
                raise ValueError("cannot be decoded")

        task = asyncio.create_task(read())
        await heard(parent)
        parent.send(SlotGranted(2))
        assert await heard(parent) == RunWindow(2)
        np.testing.assert_array_equal(client._slots.inputs(2)["speech"], WINDOW["speech"])
        client._slots.write_outputs(2, {"doubled": 2 * WINDOW["speech"]})
        parent.send(WindowDone(2, 0.5, "cpu"))
        with pytest.raises(ValueError, match="cannot be decoded"):
            await task
        assert await heard(parent) == SlotReleased(2)

    play(scene)


def test_jobs_and_places_go_to_whoever_asked(play: Callable[[Play], None]) -> None:
    rendered = [
        OutputsReady(job, TranscriptSummary(1.0, 1.0, "zh", "cpu", (), empty=False), InputContent(), {}, {})
        for job in (7, 8)
    ]

    async def scene(client: CoordinatorClient, parent: Connection) -> None:
        jobs = [asyncio.create_task(client.job(lane)) for lane in (0, 1)]
        places = [asyncio.create_task(client.places(one)) for one in rendered]
        assert [await heard(parent) for _ in range(4)] == [JobRequest(0), JobRequest(1), *rendered]
        assigned = [JobAssigned(lane, 5 + lane, Path("a.wav"), "a.wav") for lane in (0, 1)]
        answers: Sequence[object] = [assigned[1], WriteOutputs(8, None), assigned[0], WriteOutputs(7, [])]
        for answer in answers:
            parent.send(answer)
        assert [await job for job in jobs] == assigned
        assert [await place for place in places] == [[], None]

    play(scene)


class Ended(BaseException):
    """Instead of the end of the process, with its exit code."""


@pytest.mark.parametrize("way", ["listening", "speaking"])
def test_without_a_parent_a_worker_ends(
    play: Callable[[Play], None], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(client_module.os, "_exit", end)
    here, there = Pipe()
    slots = Slots(1)

    async def scene() -> None:
        client = CoordinatorClient(there, slots, lanes=2)
        asyncio.get_running_loop().remove_reader(there.fileno())
        here.close()
        with pytest.raises(Ended) as caught:
            client._receive() if way == "listening" else client.send(SlotRequest())
        assert caught.value.args == (0,)
        del caught  # or the frames that it has, with a buffer in use, are left to the garbage collector

    asyncio.run(scene())
    there.close()
    slots.close()


def test_a_worker_that_does_not_understand_its_parent_ends_with_an_error(
    play: Callable[[Play], None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(client_module.os, "_exit", end)

    async def scene(client: CoordinatorClient, parent: Connection) -> None:
        asyncio.get_running_loop().remove_reader(client._pipe.fileno())
        parent.send(WindowDone(2, 0.1, "cpu"))  # of which nothing is known here
        with pytest.raises(Ended) as caught:
            client._receive()
        assert caught.value.args == (1,)
        del caught

    play(scene)
    assert "KeyError: 2" in capsys.readouterr().err


def end(code: int) -> NoReturn:
    raise Ended(code)
