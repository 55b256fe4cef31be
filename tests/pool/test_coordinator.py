"""The parent of a pool: whatever its children do, each recording gets its own text or its own error."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import integers, lists, sampled_from, tuples

from funasr_cli.errors import DeviceError, FunasrError, InputError, MachineError, Postponed
from funasr_cli.executors.placement import Placement
from funasr_cli.pipeline.window_runner import concurrent_windows
from funasr_cli.pool import coordinator
from funasr_cli.pool.protocol import DeviceUnusable, JobAssigned, JobFailed, SlotGranted, WindowDone, WriteOutputs
from funasr_cli.store.entries import InputContent
from funasr_cli.system.signals import Interrupted
from tests.pool.played import GRAPH, Child, PlayedDevice, PlayedPool, played_pool

Open = Callable[..., PlayedPool]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens a pool."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(played_pool(tmp_path, monkeypatch, **options))


def test_each_recording_gets_its_own_text(opened: Open) -> None:
    pool = opened(recordings=9, placements=(Placement(1, runs=2), Placement(1)))
    pool.run()
    assert pool.as_it_should_be()
    assert all(device.heard and device.failures == 0 for device in pool.devices)
    assert [worker.graphs for worker in pool.workers] == [[GRAPH]] * 2
    assert pool.stats.devices == 3
    assert pool.stats.busy == 9 * 0.5
    assert not pool.shown.getvalue()


def test_no_more_than_asked_for_and_the_rest_is_left(opened: Open) -> None:
    pool = opened()
    pool.run(max_files=2)
    assert (pool.stats.done, pool.stats.left, pool.stats.total_files) == (2, 3, 5)


def test_nothing_is_begun_after_the_deadline(opened: Open) -> None:
    pool = opened()
    pool.run(deadline="+0s")
    assert (pool.stats.done, pool.stats.left) == (0, 5)


def test_workers_that_have_asked_before_there_was_anything_to_do_get_it_then(opened: Open) -> None:
    pool = opened()
    asked: list[int] = []
    pool.once(lambda: all(len(worker.graphs) == 1 for worker in pool.workers), lambda: asked.append(pool.looks))
    pool.coordinator.wait_until_ready()
    while not asked or pool.looks < asked[0] + 3:  # as long as the store takes to find out what is to be done
        pool.coordinator._step()
    pool.run()
    assert pool.as_it_should_be()


# Workers


def test_the_recordings_of_a_worker_that_dies_are_begun_again_by_another(opened: Open) -> None:
    pool = opened(workers=1)
    first = pool.workers[0]
    pool.once(lambda: len(first.running) == 2, lambda: first.child.die(-signal.SIGSEGV))
    pool.run()
    assert pool.as_it_should_be()
    assert [worker.row for worker in pool.workers] == [0, 0]
    assert pool.shown.getvalue().count("is started again: its process was lost (killed by SIGSEGV)") == 2


def test_a_recording_that_workers_die_of_fails_alone(opened: Open) -> None:
    pool = opened(workers=1)

    def die_of_it() -> None:
        worker = pool.workers[-1]
        if any(job.path.stem == "c" for job in worker.running.values()):
            job = next(job for job in worker.running.values() if job.path.stem == "c")
            worker.board.put(worker.row + job.lane, job.job, 3.0, 3.0, 0.5)
            worker.child.die(-signal.SIGSEGV)

    pool.scripts.append(die_of_it)
    pool.run()
    assert (
        "c.wav: the process that read it died again, 3 s into the recording: killed by SIGSEGV" in pool.shown.getvalue()
    )
    assert sorted(pool.texts()) == ["a", "b", "d", "e"]
    assert (pool.stats.done, pool.stats.failed, len(pool.workers)) == (4, 1, 3)


@pytest.mark.parametrize(("kills", "failed"), [(1, 1), (0, 0)])
def test_a_worker_that_is_killed_is_blamed_only_if_memory_ran_out(
    opened: Open, monkeypatch: pytest.MonkeyPatch, kills: int, failed: int
) -> None:
    pool = opened(workers=1, recordings=1)
    killed = [0]
    monkeypatch.setattr(coordinator, "out_of_memory_kills", lambda: killed[0] * kills)

    def kill() -> None:
        worker = pool.workers[-1]
        if killed[0] < 2 and worker.running:
            killed[0] += 1
            worker.child.die(-signal.SIGKILL)

    pool.scripts.append(kill)
    pool.run()
    assert (killed[0], pool.stats.failed, pool.stats.done) == (2, failed, 1 - failed)
    assert ("memory ran out" in pool.shown.getvalue()) == bool(failed)


def test_memory_that_ran_out_before_is_not_what_a_worker_was_killed_for(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = opened(workers=1, recordings=1)
    monkeypatch.setattr(coordinator, "out_of_memory_kills", lambda: 1 if pool.looks > 1 else 0)
    killed = [0]

    def kill() -> None:
        if killed[0] < 2 and pool.looks > 5 and pool.workers[-1].running:
            killed[0] += 1
            pool.workers[-1].child.die(-signal.SIGKILL)

    def wait(slot: int) -> None:
        pool.once(lambda: pool.looks > 10, partial(PlayedDevice.run, pool.devices[0], slot))

    pool.devices[0].run = wait  # type: ignore[method-assign]
    pool.scripts.append(kill)
    pool.run()
    assert (killed, pool.stats.failed, pool.stats.done) == ([2], 0, 1)


def test_how_far_the_workers_are_is_shown(opened: Open) -> None:
    pool, shown = opened(recordings=1), list[float]()
    pool.scripts.append(lambda: shown.append(pool.stats.open_audio))
    pool.run()
    assert max(shown) == 1.0
    assert shown[0] == pool.stats.open_audio == 0


def test_a_worker_that_comes_no_further_is_replaced(opened: Open) -> None:
    pool = opened(workers=1)
    first = pool.workers[0]
    hear = first.hear

    def stop_at_slots(message: object) -> None:
        if not isinstance(message, SlotGranted):
            hear(message)

    first.hear = stop_at_slots  # type: ignore[method-assign]
    pool.once(lambda: len(first.jobs) == 2, partial(setattr, pool.clock, "step", 100.0))
    pool.once(lambda: len(pool.workers) == 2, partial(setattr, pool.clock, "step", 0.2))
    pool.run()
    assert pool.as_it_should_be()
    assert first.child.killed
    assert pool.shown.getvalue().count("its process was lost (no progress for 600 s)") == 2


def test_a_worker_that_waits_for_a_device_does_not_hang(opened: Open) -> None:
    pool = opened(workers=1, placements=(Placement(1, npu=0),))
    (device,) = pool.devices
    due: deque[int] = deque()
    device.run = due.append  # type: ignore[method-assign]
    begun = [0.0]

    def answer_late() -> None:
        if not due:
            begun[0] = pool.clock.now
        elif pool.clock.now > begun[0] + 150:  # within --window-timeout, again and again
            PlayedDevice.run(device, due.popleft())
            begun[0] = pool.clock.now
        pool.clock.step = 50.0 if due else 0.2

    pool.scripts.append(answer_late)
    pool.run()
    assert pool.clock.now > 750
    assert pool.as_it_should_be()
    assert (len(pool.workers), len(pool.devices)) == (1, 1)


def test_workers_that_die_before_they_can_begin_end_the_run(opened: Open) -> None:
    pool = opened(workers=1)
    pool.scripts.append(lambda: pool.workers[-1].child.die(1))
    with pytest.raises(MachineError, match="processes die at startup: exited with code 1"):
        pool.run()
    assert len(pool.workers) == 2


def test_a_worker_that_could_begin_does_not_count_among_those_that_could_not(opened: Open) -> None:
    pool = opened(workers=1)
    pool.once(lambda: True, lambda: pool.workers[0].child.die(1))
    pool.once(lambda: bool(pool.workers[-1].running), lambda: pool.workers[1].child.die(1))
    pool.once(lambda: len(pool.workers) == 3, lambda: pool.workers[2].child.die(1))
    pool.run()
    assert len(pool.workers) == 4
    assert pool.as_it_should_be()


def test_workers_are_on_the_nodes_of_the_devices_in_turn_also_those_that_come_later(opened: Open) -> None:
    pool = opened(recordings=7, workers=3, placements=(Placement(1, node=0), Placement(1, node=1)))
    pool.once(lambda: bool(pool.workers[1].running), lambda: pool.workers[1].child.die(-signal.SIGKILL))
    pool.run()
    assert [(worker.row, worker.node) for worker in pool.workers] == [(0, 0), (2, 1), (4, 0), (2, 1)]
    assert pool.as_it_should_be()


@pytest.mark.parametrize(("workers", "at_devices"), [(1, 24), (2, 16)])
def test_a_worker_has_as_many_windows_under_way_as_the_devices_that_it_has_to_itself(
    opened: Open, workers: int, at_devices: int
) -> None:
    pool = opened(workers=workers, placements=(Placement(1, runs=16), Placement(1, runs=8)))
    assert {worker.windows for worker in pool.workers} == {concurrent_windows(at_devices)}


# Devices


def test_the_windows_of_a_device_that_dies_are_run_by_another(opened: Open) -> None:
    pool = opened()
    first = pool.devices[0]
    first.run = lambda slot: first.child.die(-signal.SIGABRT)  # type: ignore[method-assign]
    pool.run()
    assert pool.as_it_should_be()
    assert pool.shown.getvalue().splitlines() == [
        "the process of the CPU was lost (killed by SIGABRT); its windows are run again in a new process"
    ]


def test_a_window_that_devices_die_of_costs_its_recording_and_no_other(opened: Open) -> None:
    pool = opened()

    def die_of_it() -> None:
        device = pool.devices[-1]
        device.run = lambda slot: (  # type: ignore[method-assign]
            device.child.die(-signal.SIGABRT) if device.slots.inputs(slot)["x"] == 1 else PlayedDevice.run(device, slot)
        )

    pool.scripts.append(die_of_it)
    pool.run()
    assert "e.wav: one of its windows crashes device processes: killed by SIGABRT" in pool.shown.getvalue()
    assert sorted(pool.texts()) == ["a", "b", "c", "d"]


def test_a_window_is_not_blamed_for_what_the_last_one_in_its_slot_did(opened: Open) -> None:
    pool = opened(workers=1, recordings=4, placements=(Placement(1),))
    ran: list[int] = []

    def run(device: PlayedDevice, slot: int) -> None:
        number = int(device.slots.inputs(slot)["x"][0])
        if number in ran:
            PlayedDevice.run(device, slot)
        else:
            ran.append(number)  # each costs one process, and all are in the same few slots
            device.child.die(-signal.SIGABRT)

    def die_of_each() -> None:
        pool.devices[-1].run = partial(run, pool.devices[-1])  # type: ignore[method-assign]

    pool.scripts.append(die_of_each)
    pool.run()
    assert pool.as_it_should_be()
    assert len(pool.devices) == 5


def test_a_device_that_is_at_a_window_for_too_long_is_replaced(opened: Open) -> None:
    pool = opened()
    first = pool.devices[0]
    first.run = lambda slot: None  # type: ignore[method-assign]
    pool.once(lambda: bool(first.heard), partial(setattr, pool.clock, "step", 100.0))
    pool.once(lambda: len(pool.devices) == 2, partial(setattr, pool.clock, "step", 0.2))
    pool.run()
    assert pool.as_it_should_be()
    assert first.child.killed
    assert "(no answer within --window-timeout, 300 s); its windows are run again" in pool.shown.getvalue()


def test_a_device_that_had_nothing_to_do_for_hours_does_not_hang(opened: Open) -> None:
    pool = opened(workers=1, recordings=2)
    worker = pool.workers[0]
    hear, kept = worker.hear, list[object]()

    def think(message: object) -> None:
        if isinstance(message, WindowDone) and pool.clock.now < 3600:
            kept.append(message)
        else:
            hear(message)

    worker.hear = think  # type: ignore[method-assign]

    def go_on() -> None:
        pool.clock.step = 100.0 if kept else 0.2
        for lane in (0, 1):  # the worker is at work all the time
            worker.board.put(worker.row + lane, lane + 1, pool.clock.now, pool.clock.now, 0.5)
        if pool.clock.now > 3600:
            while kept:
                hear(kept.pop())

    pool.scripts.append(go_on)
    pool.run()
    assert pool.as_it_should_be()
    assert (len(pool.devices), len(pool.workers)) == (1, 1)


def test_devices_that_die_before_they_can_begin_end_the_run(opened: Open) -> None:
    pool = opened()
    pool.scripts.append(lambda: pool.devices[-1].child.die(-signal.SIGSEGV))
    with pytest.raises(MachineError, match="processes die at startup: killed by SIGSEGV"):
        pool.run()
    assert len(pool.devices) == 2


def test_a_device_that_is_not_ready_in_time_is_replaced(opened: Open) -> None:
    pool = opened()
    first = pool.devices[0]
    first.ready = True  # it never says so
    pool.clock.step = 100.0
    pool.once(lambda: len(pool.devices) == 2, partial(setattr, pool.clock, "step", 0.2))
    pool.run()
    assert pool.as_it_should_be()
    assert first.child.killed
    assert "(not ready within 600 s)" in pool.shown.getvalue()


def unusable(device: PlayedDevice) -> None:
    device.ready = True
    device.child.end.send(DeviceUnusable(DeviceError("there is none"), "the traceback there"))
    device.child.die(0)


def test_without_a_usable_device_the_run_ends(opened: Open) -> None:
    pool = opened()
    pool.once(lambda: True, lambda: unusable(pool.devices[0]))
    with pytest.raises(DeviceError, match="there is none") as caught:
        pool.run()
    assert "the traceback there" in str(caught.value.__cause__)


def test_with_another_device_it_goes_on(opened: Open) -> None:
    pool = opened(placements=(Placement(1, npu=0), Placement(1, npu=1)))
    pool.once(lambda: True, lambda: unusable(pool.devices[0]))
    pool.run()
    assert pool.as_it_should_be()
    assert pool.shown.getvalue().splitlines() == ["NPU 0 is not used: there is none"]
    assert len(pool.devices) == 2


# The end


@pytest.mark.parametrize("error", [InputError("no audio"), Postponed("changed while it was read")])
def test_with_debug_the_first_recording_that_fails_ends_the_run(opened: Open, error: FunasrError) -> None:
    pool = opened(workers=1, recordings=1, debug=True)
    worker = pool.workers[0]
    hear = worker.hear

    def fail(message: object) -> None:
        if isinstance(message, SlotGranted):
            worker.say(JobFailed(message_job().job, error, InputContent(), {}, "the traceback there"))
        else:
            hear(message)

    def message_job() -> JobAssigned:
        return worker.waiting.pop(0)

    worker.hear = fail  # type: ignore[method-assign]
    if isinstance(error, Postponed):
        pool.run()
        assert pool.stats.left == 1
    else:
        with pytest.raises(InputError, match="no audio") as caught:
            pool.run()
        assert "the traceback there" in str(caught.value.__cause__)


def test_with_debug_the_first_process_that_dies_ends_the_run(opened: Open) -> None:
    pool = opened(debug=True)
    pool.once(lambda: bool(pool.workers[0].running), lambda: pool.workers[0].child.die(-signal.SIGSEGV))
    with pytest.raises(MachineError, match="a process of the run died: killed by SIGSEGV"):
        pool.run()


def test_a_run_that_is_stopped_ends_what_is_being_written_and_begins_nothing(opened: Open) -> None:
    pool = opened(workers=1)
    worker = pool.workers[0]
    hear = worker.hear
    stopped: list[object] = []

    def write_when_stopped(message: object) -> None:
        if isinstance(message, WriteOutputs):
            stopped.append(message)
        else:
            hear(message)

    def stop() -> None:
        for message in stopped:  # the worker is slow; what it writes will be there while the parent waits for it
            hear(message)
        raise Interrupted(signal.SIGINT)

    worker.hear = write_when_stopped  # type: ignore[method-assign]
    pool.once(lambda: bool(stopped), stop)
    with pytest.raises(Interrupted):
        pool.run()
    assert sorted(pool.texts()) == sorted(job.path.stem for job in worker.jobs if job.job in done(stopped))
    assert pool.stats.done == len(stopped)
    assert pool.stats.left == 5 - len(stopped)


def test_a_run_that_is_stopped_does_not_wait_for_ever_for_what_is_being_written(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "LAST_WRITES_TIMEOUT_S", 0.05)
    pool = opened(workers=1)
    hear, stopped = pool.workers[0].hear, list[object]()

    def write_a_half(message: object) -> None:
        if isinstance(message, WriteOutputs):
            stopped.append(message)
            for write in message.writes or ():
                write.temporary.touch()
        else:
            hear(message)

    def stop() -> None:
        raise Interrupted(signal.SIGINT)

    pool.workers[0].hear = write_a_half  # type: ignore[method-assign]
    pool.once(lambda: bool(stopped), stop)
    with pytest.raises(Interrupted):
        pool.run()
    assert (pool.stats.done, pool.stats.left) == (0, 5)
    assert half_written(pool) == []


@pytest.mark.parametrize(("seconds", "least"), [(5.0, 4.0), (0.03, 0.0)])
def test_all_children_together_have_the_time_of_one_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, least: float
) -> None:
    monkeypatch.setattr(coordinator, "JOIN_TIMEOUT_S", seconds)
    with played_pool(tmp_path, monkeypatch) as pool:
        children = [one.child for one in [*pool.devices, *pool.workers]]
        join = Child.join

        def join_slowly(child: Child, within: float) -> int | None:
            assert all(other.pipe.closed for other in children)  # by which those that are well end, all at once
            time.sleep(0.02)
            return join(child, within)

        monkeypatch.setattr(Child, "join", join_slowly)
    granted = [child.granted for child in children]
    assert all(child.killed for child in children[1:])
    assert not children[0].killed  # a device ends by itself, and gives back what it holds
    assert least <= min(granted) <= max(0.0, seconds - 0.02 * (len(granted) - 1))


def half_written(pool: PlayedPool) -> list[Path]:
    return list(pool.outputs.rglob("*.funasr-tmp"))


def done(writes: list[object]) -> set[int]:
    return {message.job for message in writes if isinstance(message, WriteOutputs)}


# Anything, at any time


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deaths=lists(tuples(integers(0, 25), sampled_from(["worker", "device"]), integers(0, 1)), max_size=6))
def test_whoever_dies_whenever_nothing_is_lost_and_nothing_done_twice(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, deaths: list[tuple[int, str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("pool")
    with played_pool(folder, monkeypatch, placements=(Placement(1, runs=2), Placement(1))) as pool:
        looks = count()

        def kill() -> None:
            now = next(looks)
            for at, kind, index in deaths:
                if at == now:
                    alive = [one for one in (pool.workers if kind == "worker" else pool.devices) if one.child.alive]
                    for one in alive[index : index + 1]:
                        one.child.die(-signal.SIGKILL)

        pool.scripts.append(kill)
        pool.run()
        assert pool.as_it_should_be()
        lines = (pool.outputs / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == len(pool.sinks)
        assert half_written(pool) == []
