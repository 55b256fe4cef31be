"""Slots, windows and devices: played through with workers and devices that do anything at any time."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import data

from funasr_cli.errors import InputError
from funasr_cli.pool.dispatcher import Dispatcher, windows_at
from funasr_cli.pool.protocol import RunWindow, SlotGranted, WindowDone, WindowFailed

SLOTS = 7
WORKERS = ("ann", "bob", "cho")
RUNS = {"npu0": 1, "cpu": 2}


class Played(RuleBasedStateMachine):
    """The other side of the dispatcher: what each worker holds and waits for, and what each device was given."""

    def __init__(self) -> None:
        super().__init__()
        self.dispatcher: Dispatcher[str, str] = Dispatcher(SLOTS, self.told, self.ordered, lambda: 0.0)
        self.holds: dict[str, set[int]] = {worker: set() for worker in WORKERS}  # to be filled or read
        self.waits: dict[str, set[int]] = {worker: set() for worker in WORKERS}  # for the answer to these
        self.wants: Counter[str] = Counter()
        self.at: dict[str, list[int]] = {}
        self.suspects: set[int] = set()

    def told(self, worker: str, message: SlotGranted | WindowDone | WindowFailed) -> None:
        if isinstance(message, SlotGranted):
            assert self.wants[worker] > 0
            self.wants[worker] -= 1
        else:
            self.waits[worker].remove(message.slot)
        self.holds[worker].add(message.slot)

    def ordered(self, device: str, run: RunWindow) -> None:
        self.at[device].append(run.slot)
        assert len(self.at[device]) == 1 or self.suspects.isdisjoint(self.at[device])

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
        slot = data.draw(sampled(self.at[device][: RUNS[device]]))
        self.at[device].remove(slot)
        self.suspects.discard(slot)
        self.dispatcher.complete(device, WindowDone(slot, 0.1, "cpu"))

    @precondition(lambda self: len(self.at) < len(RUNS))
    @rule(data=data())
    def a_device_comes(self, data: data) -> None:
        device = data.draw(sampled([device for device in RUNS if device not in self.at]))
        self.at[device] = []
        self.dispatcher.add_device(device, RUNS[device])

    @precondition(lambda self: self.at)
    @rule(data=data())
    def a_device_dies(self, data: data) -> None:
        device = data.draw(sampled(sorted(self.at)))
        assert list(self.dispatcher.running(device)) == self.at[device][: RUNS[device]]
        waiting, lost = set().union(*self.waits.values()), self.at.pop(device)
        blamed = data.draw(sampled([None, *lost]))
        self.suspects.update(waiting.intersection(lost) - {blamed})
        self.suspects.discard(blamed)
        self.dispatcher.remove_device(device, blamed if blamed is None else WindowFailed(blamed, InputError("no")))
        assert blamed not in set().union(*self.waits.values())
        assert not self.dispatcher.running(device)

    @rule(data=data())
    def a_worker_dies(self, data: data) -> None:
        worker = data.draw(sampled(WORKERS))
        self.suspects -= self.waits[worker].difference(*self.at.values())
        self.holds[worker], self.waits[worker], self.wants[worker] = set(), set(), 0
        self.dispatcher.remove_worker(worker)

    @invariant()
    def no_slot_is_in_two_places(self) -> None:
        used = [slot for worker in WORKERS for slot in (*self.holds[worker], *self.waits[worker])]
        assert len(used) == len(set(used)) <= SLOTS
        for device, slots in self.at.items():
            assert len(slots) <= windows_at(RUNS[device])
            assert not any(slot in held for slot in slots for held in self.holds.values())

    @invariant()
    def who_waits_waits_for_something(self) -> None:
        for worker in WORKERS:
            assert self.dispatcher.owes(worker) == bool(self.waits[worker] or self.wants[worker])
        given = {slot for slots in self.at.values() for slot in slots}
        if not self.suspects and any(len(slots) < windows_at(RUNS[device]) for device, slots in self.at.items()):
            assert set().union(*self.waits.values()) <= given
        if any(not slots for slots in self.at.values()):  # also with one that has to run alone
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
    made: Dispatcher[str, str] = Dispatcher(
        slots, lambda *what: said.append(what), lambda *what: said.append(what), lambda: 0.0
    )
    return made, said


def test_a_window_goes_to_the_device_that_has_least_to_do_for_what_it_runs_at_a_time() -> None:
    made, said = dispatcher(8)
    for _ in range(8):
        made.request_slot("ann")
    made.add_device("npu", 1)
    made.add_device("cpu", 2)
    said.clear()
    for slot in reversed(range(7)):
        made.submit("ann", slot)
    assert [name for name, _ in said] == ["npu", "cpu", "cpu", "npu", "cpu", "cpu", "npu"]


def test_a_device_that_is_lost_before_it_was_ready_takes_nothing_with_it() -> None:
    made, said = dispatcher(1)
    made.request_slot("ann")
    made.submit("ann", 0)
    made.remove_device("npu")
    made.add_device("cpu", 1)
    assert said == [("ann", SlotGranted(0)), ("cpu", RunWindow(0))]


def test_a_slot_is_free_when_its_worker_and_then_its_device_are_gone() -> None:
    made, said = dispatcher(1)
    made.add_device("npu", 1)
    made.request_slot("ann")
    made.submit("ann", 0)
    made.remove_worker("ann")
    made.request_slot("bob")
    said.clear()
    made.remove_device("npu")
    made.add_device("cpu", 1)
    assert said == [("bob", SlotGranted(0))]


def test_a_window_that_had_to_run_alone_is_in_nobodys_way_when_its_worker_is_gone() -> None:
    made, said = dispatcher(3)
    for worker in ("ann", "bob", "bob"):
        made.request_slot(worker)
    made.add_device("npu0", 1)
    made.submit("ann", 2)
    made.add_device("npu1", 1)
    made.submit("bob", 1)
    made.remove_device("npu0")
    made.submit("bob", 0)
    assert said[-1] == ("npu1", RunWindow(1))
    made.remove_worker("ann")
    assert said[-1] == ("npu1", RunWindow(0))
    made.request_slot("bob")
    made.submit("bob", 2)  # another window in the same slot
    assert said[-1] == ("npu1", RunWindow(2))


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
    made.add_device("npu0", 1)
    made.remove_device("npu0")
    said.clear()
    made.add_device("npu1", 1)
    assert said == [("npu1", RunWindow(3))]
    for slot in (3, 2, 1):
        made.complete("npu1", WindowDone(slot, 0.1, "npu"))
    assert [what for name, what in said if name == "npu1"] == [RunWindow(slot) for slot in (3, 2, 1, 0)]


def test_windows_that_a_device_died_with_run_alone_and_the_others_side_by_side_again() -> None:
    made, said = dispatcher(6)
    for _ in range(6):
        made.request_slot("ann")
    made.add_device("cpu", 2)
    for slot in (5, 4):
        made.submit("ann", slot)
    assert list(made.running("cpu")) == [5, 4]
    made.remove_device("cpu")
    for slot in (3, 2, 1, 0):
        made.submit("ann", slot)
    said.clear()
    made.add_device("cpu", 2)
    for slot in (5, 4):
        assert said.pop() == ("cpu", RunWindow(slot))
        assert list(made.running("cpu")) == [slot]
        made.complete("cpu", WindowDone(slot, 0.1, "cpu"))
        assert said.pop(0) == ("ann", WindowDone(slot, 0.1, "cpu"))
    assert said == [("cpu", RunWindow(slot)) for slot in (3, 2, 1, 0)]
    assert list(made.running("cpu")) == [3, 2]


def test_windows_share_the_time_of_their_device_from_when_they_are_taken_up() -> None:
    now = [0.0]
    made: Dispatcher[str, str] = Dispatcher(4, lambda *_: None, lambda *_: None, lambda: now[0])
    for _ in range(4):
        made.request_slot("ann")
    made.add_device("cpu", 2)
    for slot in (3, 2, 1, 0):
        now[0] += 1
        made.submit("ann", slot)
    assert made.running("cpu") == {3: 1.0 + 0.5 + 0.5, 2: 0.5 + 0.5}
    made.complete("cpu", WindowDone(2, 0.1, "cpu"))
    now[0] += 2
    assert made.running("cpu") == {3: 3.0, 1: 1.0}
    made.grant_time("cpu")
    for slot in (1, 0):
        made.complete("cpu", WindowDone(slot, 0.1, "cpu"))
    now[0] += 2
    assert made.running("cpu") == {3: 2.0}  # what is alone has all of it


def test_time_is_shared_by_those_that_ran_while_it_passed() -> None:
    now = [0.0]
    made: Dispatcher[str, str] = Dispatcher(3, lambda *_: None, lambda *_: None, lambda: now[0])
    made.add_device("cpu", 2)
    for slot in (2, 1, 0):
        made.request_slot("ann")
        made.submit("ann", slot)
    now[0] += 2
    made.complete("cpu", WindowDone(2, 0.1, "cpu"))
    assert made.running("cpu") == {1: 1.0, 0: 0.0}


def test_time_that_is_granted_counts_from_now_on() -> None:
    now = [0.0]
    made: Dispatcher[str, str] = Dispatcher(1, lambda *_: None, lambda *_: None, lambda: now[0])
    made.add_device("npu", 1)
    made.request_slot("ann")
    made.submit("ann", 0)
    now[0] += 100
    made.grant_time("npu")
    now[0] += 1
    assert made.running("npu") == {0: 1.0}


def test_no_share_of_time_is_so_small_that_a_hang_lasts_for_hours() -> None:
    now = [0.0]
    made: Dispatcher[str, str] = Dispatcher(99, lambda *_: None, lambda *_: None, lambda: now[0])
    made.add_device("cpu", 99)
    for slot in reversed(range(99)):
        made.request_slot("ann")
        made.submit("ann", slot)
    now[0] += 8
    assert set(made.running("cpu").values()) == {1.0}


def test_a_window_that_devices_die_of_is_not_run_again() -> None:
    made, said = dispatcher(2)
    for _ in range(2):
        made.request_slot("ann")
    made.add_device("npu0", 1)
    made.add_device("npu1", 1)
    made.submit("ann", 1)
    made.submit("ann", 0)
    assert list(made.running("npu0")) == [1]
    error = WindowFailed(1, InputError("no"))
    made.remove_device("npu0", error)
    assert said[-1] == ("ann", error)
    made.add_device("npu2", 1)
    assert said[-1] == ("ann", error)
