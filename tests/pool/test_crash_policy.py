"""A recording is blamed for what it does to processes, not for what is done to them."""

from __future__ import annotations

import signal

import pytest

from funasr_cli.pool.crash_policy import CrashPolicy
from funasr_cli.system.process import Death


def test_the_second_process_that_dies_of_itself_is_the_last() -> None:
    policy: CrashPolicy[str] = CrashPolicy()
    assert not policy.should_give_up("a.wav", 10.0, own_fault=True)
    assert not policy.should_give_up("b.wav", 10.0, own_fault=True)
    assert policy.should_give_up("a.wav", 55.0, own_fault=True)


def test_processes_killed_here_and_there_are_nobodys_fault() -> None:
    policy: CrashPolicy[str] = CrashPolicy()
    assert not any(policy.should_give_up("a.wav", float(place % 7), own_fault=False) for place in range(50))


def test_processes_killed_again_and_again_at_the_same_place_are() -> None:
    policy: CrashPolicy[str] = CrashPolicy()
    assert [policy.should_give_up("a.wav", 10.0, own_fault=False) for _ in range(10)] == [False] * 9 + [True]


def test_what_has_gone_through_begins_anew() -> None:
    policy: CrashPolicy[int] = CrashPolicy()
    assert not any(policy.should_give_up(key, 0.0, own_fault=True) for key in (3, 4))
    policy.forget(3)
    assert [policy.should_give_up(key, 0.0, own_fault=True) for key in (3, 4)] == [False, True]


@pytest.mark.parametrize(
    ("code", "memory_ran_out", "expected"),
    [
        (-signal.SIGKILL, False, Death("killed by SIGKILL", own_fault=False)),
        (-signal.SIGKILL, True, Death("killed by SIGKILL, memory ran out", own_fault=True, for_memory=True)),
        (-signal.SIGTERM, True, Death("killed by SIGTERM", own_fault=False)),
        (-signal.SIGSEGV, False, Death("killed by SIGSEGV", own_fault=True)),
        (1, False, Death("exited with code 1", own_fault=True)),
        (None, True, Death("exit code unknown", own_fault=False)),
    ],
)
def test_how_a_process_died_tells_whose_fault_it_is(code: int | None, memory_ran_out: bool, expected: Death) -> None:
    assert Death.of(code, memory_ran_out=memory_ran_out) == expected
