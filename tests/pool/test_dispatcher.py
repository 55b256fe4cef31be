"""Slots, windows and devices: played through with workers and devices that do anything at any time."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import data

from funasr_cli.errors import InputError
from funasr_cli.pool.dispatcher import WINDOWS_PER_DEVICE, Dispatcher
from funasr_cli.pool.protocol import RunWindow, SlotGranted, WindowDone, WindowFailed

SLOTS = 5
WORKERS = ("ann", "bob", "cho")
DEVICES = ("npu0", "npu1")


class Played(RuleBasedStateMachine):
    """The other side of the dispatcher: what each worker holds and waits for, and what each device was given."""

    def __init__(self) -> None:
        super().__init__()
        self.dispatcher: Dispatcher[str, str] = Dispatcher(SLOTS, self.told, self.ordered)
        self.holds: dict[str, set[int]] = {worker: set() for worker in WORKERS}  # to be filled or read
        self.waits: dict[str, set[int]] = {worker: set() for worker in WORKERS}  # for the answer to these
        self.wants: Counter[str] = Counter()
        self.at: dict[str, list[int]] = {}

    def told(self, worker: str, message: SlotGranted | WindowDone | WindowFailed) -> None:
        if isinstance(message, SlotGranted):
            assert self.wants[worker] > 0
            self.wants[worker] -= 1
        else:
            self.waits[worker].remove(message.slot)
        self.holds[worker].add(message.slot)

    def ordered(self, device: str, run: RunWindow) -> None:
        self.at[device].append(run.slot)

    @rule(data=data())
    def a_worker_wants_a_slot(self, data: data) -> None:
        worker = data.draw(sampled(WORKERS))
        self.wants[worker] += 1
        self.dispatcher.request_slot(worker)

    @precondition(lambda self: any(self.holds.values()))
    @rule(data=data())
    def a_worker_sends_a_window(self, data: data) -> None:
        worker, slot = data.draw(sampled([(w, s) for w in WORKERS for s in sorted(self.holds[w])]))
        self.holds[worker].remove(slot)
        self.waits[worker].add(slot)
        self.dispatcher.submit(worker, slot)

    @precondition(lambda self: any(self.holds.values()))
    @rule(data=data())
    def a_worker_gives_a_slot_back(self, data: data) -> None:
        worker, slot = data.draw(sampled([(w, s) for w in WORKERS for s in sorted(self.holds[w])]))
        self.holds[worker].remove(slot)
        self.dispatcher.release(worker, slot)

    @precondition(lambda self: any(self.at.values()))
    @rule(data=data())
    def a_device_answers(self, data: data) -> None:
        device = data.draw(sampled([device for device in self.at if self.at[device]]))
        self.dispatcher.complete(device, WindowDone(self.at[device].pop(0), 0.1, "cpu"))

    @precondition(lambda self: len(self.at) < len(DEVICES))
    @rule(data=data())
    def a_device_comes(self, data: data) -> None:
        device = data.draw(sampled([device for device in DEVICES if device not in self.at]))
        self.at[device] = []
        self.dispatcher.add_device(device)

    @precondition(lambda self: self.at)
    @rule(data=data())
    def a_device_dies(self, data: data) -> None:
        device = data.draw(sampled(sorted(self.at)))
        assert self.dispatcher.running(device) == (self.at[device][0] if self.at[device] else None)
        del self.at[device]
        self.dispatcher.remove_device(device)

    @rule(data=data())
    def a_worker_dies(self, data: data) -> None:
        worker = data.draw(sampled(WORKERS))
        self.holds[worker], self.waits[worker], self.wants[worker] = set(), set(), 0
        self.dispatcher.remove_worker(worker)

    @invariant()
    def no_slot_is_in_two_places(self) -> None:
        used = [slot for worker in WORKERS for slot in (*self.holds[worker], *self.waits[worker])]
        assert len(used) == len(set(used)) <= SLOTS
        for slots in self.at.values():
            assert len(slots) <= WINDOWS_PER_DEVICE
            assert not any(slot in held for slot in slots for held in self.holds.values())

    @invariant()
    def who_waits_waits_for_something(self) -> None:
        for worker in WORKERS:
            assert self.dispatcher.owes(worker) == bool(self.waits[worker] or self.wants[worker])
        given = {slot for slots in self.at.values() for slot in slots}
        if any(len(slots) < WINDOWS_PER_DEVICE for slots in self.at.values()):
            assert set().union(*self.waits.values()) <= given
        if any(self.wants.values()):
            used = given.union(*self.holds.values(), *self.waits.values())
            assert len(used) == SLOTS


def sampled(choices: object) -> object:
    from hypothesis.strategies import sampled_from

    return sampled_from(choices)  # type: ignore[arg-type]


Played.TestCase.settings = settings(max_examples=60, stateful_step_count=60)
TestDispatcher = Played.TestCase


def dispatcher(slots: int) -> tuple[Dispatcher[str, str], list[tuple[str, object]]]:
    said: list[tuple[str, object]] = []
    made: Dispatcher[str, str] = Dispatcher(slots, lambda *what: said.append(what), lambda *what: said.append(what))
    return made, said


def test_slots_are_given_in_turn() -> None:
    made, said = dispatcher(1)
    for worker in ("long", "short", "long"):
        made.request_slot(worker)
    for worker in ("long", "short", "long"):
        assert said[-1] == (worker, SlotGranted(0))
        made.release(worker, 0)


def test_windows_of_a_dead_device_are_the_next_to_be_run() -> None:
    made, said = dispatcher(4)
    for _ in range(4):
        made.request_slot("ann")
    for slot in (3, 2, 1, 0):
        made.submit("ann", slot)
    made.add_device("npu0")
    made.remove_device("npu0")
    said.clear()
    made.add_device("npu1")
    assert said == [("npu1", RunWindow(slot)) for slot in (3, 2, 1, 0)[:WINDOWS_PER_DEVICE]]


def test_a_window_that_devices_die_of_is_not_run_again() -> None:
    made, said = dispatcher(2)
    for _ in range(2):
        made.request_slot("ann")
    made.add_device("npu0")
    made.add_device("npu1")
    made.submit("ann", 1)
    made.submit("ann", 0)
    assert made.running("npu0") == 1
    error = WindowFailed(1, InputError("no"))
    made.remove_device("npu0", error)
    assert said[-1] == ("ann", error)
    made.add_device("npu2")
    assert said[-1] == ("ann", error)
