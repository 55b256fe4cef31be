"""A recording is blamed for what it does to processes, not for what is done to them."""

from __future__ import annotations

import signal

import pytest

from funasr_cli.pool.crash_policy import Strikes
from funasr_cli.system.process import Death


def test_the_second_process_that_dies_of_itself_is_the_last() -> None:
    strikes: Strikes[str] = Strikes()
    assert not strikes.out("a.wav", 10.0, at_fault=True)
    assert not strikes.out("b.wav", 10.0, at_fault=True)
    assert strikes.out("a.wav", 55.0, at_fault=True)


def test_processes_killed_here_and_there_are_nobodys_fault() -> None:
    strikes: Strikes[str] = Strikes()
    assert not any(strikes.out("a.wav", float(place % 7), at_fault=False) for place in range(50))


def test_processes_killed_again_and_again_at_the_same_place_are() -> None:
    strikes: Strikes[str] = Strikes()
    assert [strikes.out("a.wav", 10.0, at_fault=False) for _ in range(10)] == [False] * 9 + [True]


def test_what_has_gone_through_begins_anew() -> None:
    strikes: Strikes[int] = Strikes()
    assert not strikes.out(3, 0.0, at_fault=True)
    strikes.forget(3)
    assert not strikes.out(3, 0.0, at_fault=True)


@pytest.mark.parametrize(
    ("code", "memory_ran_out", "expected"),
    [
        (-signal.SIGKILL, False, Death("killed by SIGKILL", at_fault=False)),
        (-signal.SIGKILL, True, Death("killed by SIGKILL, memory ran out", at_fault=True)),
        (-signal.SIGTERM, True, Death("killed by SIGTERM", at_fault=False)),
        (-signal.SIGSEGV, False, Death("killed by SIGSEGV", at_fault=True)),
        (1, False, Death("ended by itself with exit code 1", at_fault=True)),
        (None, True, Death("it is gone", at_fault=False)),
    ],
)
def test_how_a_process_died_tells_whose_fault_it_is(code: int | None, memory_ran_out: bool, expected: Death) -> None:
    assert Death.of(code, memory_ran_out=memory_ran_out) == expected
