"""Runs a function in its own process, so that a driver that crashes or hangs cannot harm this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from funasr_cli.errors import DeviceError, FunasrError
from funasr_cli.system.process import ChildFailed, ChildProcess, Death, init_child

T = TypeVar("T")


class NoAnswer(DeviceError):
    """The process died, or exceeded its time limit: then `hung` is true and it was killed."""

    def __init__(self, how: str, *, hung: bool) -> None:
        super().__init__(f"the process on the NPU {how}")
        self.hung = hung


def run_isolated(name: str, within: float, function: Callable[..., T], *arguments: Any) -> T:
    """Call `function` with `arguments` in a new process, shown by `ps` as `name`, for at most `within` seconds.

    The process is spawned because the NPU runtime can be initialised only once per process and does not survive a fork.
    Raises the `FunasrError` that the function raises, or `NoAnswer`.
    """
    child = ChildProcess("spawn", _answer, name, function, arguments)
    try:
        if not child.pipe.poll(within):
            raise NoAnswer(f"did not finish within {within:.0f} s", hung=True)
        answer = child.pipe.recv()
    except (EOFError, OSError):
        how = Death.of(child.join(), memory_ran_out=False).how
        raise NoAnswer(f"was lost ({how})", hung=False) from None
    except BaseException:
        child.kill()
        raise
    finally:
        child.join()
    if isinstance(answer, ChildFailed):
        raise answer.error
    result: T
    result, error = answer
    if error is not None:
        raise error
    return result


def _answer(pipe: Connection, name: str, function: Callable[..., Any], arguments: Sequence[Any]) -> None:
    init_child(name)
    answer: tuple[Any, FunasrError | None]
    try:
        answer = function(*arguments), None
    except FunasrError as error:
        answer = None, error
    with suppress(OSError):  # the parent may have been interrupted
        pipe.send(answer)
