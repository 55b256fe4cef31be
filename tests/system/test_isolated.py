"""A call in another process: its answer, error, death or timeout; the process never survives."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from funasr_cli.errors import DeviceError, ModelError
from funasr_cli.system import isolated
from funasr_cli.system.isolated import NoAnswer, run_isolated
from funasr_cli.system.process import ChildProcess

PATIENT = 60.0


@pytest.fixture(autouse=True)
def nothing_is_left() -> object:
    yield
    assert not multiprocessing.active_children()


def add(one: int, two: int) -> tuple[int, str]:
    return one + two, Path("/proc/self/comm").read_text().strip()


def refuse() -> None:
    raise ModelError("no such thing", where="here", hint="look there")


def leave() -> None:
    os._exit(7)


def die() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def test_the_answer_comes_from_a_process_of_that_name() -> None:
    assert run_isolated("funasr-adds", PATIENT, add, 2, 3) == (5, "funasr-adds")


def test_an_error_comes_through_whole() -> None:
    with pytest.raises(ModelError) as raised:
        run_isolated("funasr-test", PATIENT, refuse)
    assert str(raised.value) == "here: no such thing\n  look there"


@pytest.mark.parametrize(
    ("function", "how"), [(leave, "lost \\(exited with code 7\\)"), (die, "lost \\(killed by SIGSEGV\\)")]
)
def test_a_process_that_dies_is_no_answer(function: object, how: str) -> None:
    with pytest.raises(NoAnswer, match=f"the process on the NPU was {how}") as raised:
        run_isolated("funasr-test", PATIENT, function)  # type: ignore[arg-type]
    assert not raised.value.hung
    assert isinstance(raised.value, DeviceError)


def test_one_that_is_not_done_in_time_is_ended_at_once() -> None:
    started = time.monotonic()
    with pytest.raises(NoAnswer, match="did not finish within 0 s") as raised:
        run_isolated("funasr-test", 0.2, time.sleep, 60)
    assert raised.value.hung
    assert time.monotonic() - started < 40  # of the 60 that it sleeps


def test_an_interrupted_question_ends_the_process_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    started = time.monotonic()
    monkeypatch.setattr("multiprocessing.connection.Connection.poll", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_isolated("funasr-test", PATIENT, time.sleep, 60)
    assert time.monotonic() - started < 40  # of the 60 that it sleeps


def test_an_answer_that_nobody_waits_for_any_more_is_no_trouble(capfd: pytest.CaptureFixture[str]) -> None:
    child = ChildProcess("spawn", isolated._answer, "funasr-test", add, (2, 3))
    child.join()
    assert capfd.readouterr().err == ""
