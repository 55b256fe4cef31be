"""An Ascend NPU held by this process, and a survey of the available NPUs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from funasr_cli.errors import DeviceError, DeviceLost
from funasr_cli.executors.ascend.acl import FAULTS, FIX, FIXES, NO_DEVICE, TIMED_OUT, Acl, AclError

UNKNOWN_SOC = "unknown SoC"

WAIT = "rt.synchronize_stream_with_timeout"
"""Waits for everything queued in a stream. The newest of the calls used here: pyACL has it from CANN 6.3 on."""


def survey() -> tuple[str, int]:
    """Return the SoC and the number of the NPUs that this process may use, without holding any.

    Raises `DeviceError` if the runtime is missing or finds no NPU.
    """
    acl = Acl()
    acl.do("init")
    try:
        count = int(acl.do("rt.get_device_count"))
        if not count:
            raise DeviceError("the runtime finds no NPU", hint=FIXES[NO_DEVICE])
        return acl.ask("get_soc_name") or UNKNOWN_SOC, count
    finally:
        acl.do("finalize")


class AscendDevice:
    """The NPU `index`, held by this process from the first call of the runtime to the last, with one context.

    Use one per process, and only in a process that was not forked: the runtime can be initialised once per process and
    does not survive a fork. `soc` is what models must be compiled for, e.g. `Ascend310P3`. After a fault the device is
    `lost`: until `reset`, no call is made that could wait for it.

    Raises `DeviceError` if the device cannot be used, and says what is missing.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        self.lost = self._stuck = False
        self._reason = ""
        self._held = ExitStack()
        self._context: int | None = None
        self.acl = Acl()
        self.acl.find(WAIT)
        self.acl.do("init")
        try:
            self._take()
        except BaseException:
            self.close()
            raise
        self.soc: str = self.acl.ask("get_soc_name") or UNKNOWN_SOC

    def enter(self) -> None:
        """Bind the device's context to the calling thread; every other call needs it."""
        if self._context is not None:
            call = self.release if self.lost else self.do
            call("rt.set_context", self._context)

    def do(self, call: str, *arguments: Any) -> Any:
        """Make a call that belongs to a run, as `Acl.do`. Raises `DeviceLost` if the device failed or timed out."""
        try:
            with self.watched():
                return self.acl.do(call, *arguments)
        except AclError as error:
            if error.code not in FAULTS:
                raise
            ended = "did not end a run in time" if error.code == TIMED_OUT else "failed in a run"
            raise DeviceLost(f"NPU {self.index} {ended}: {error.what}", hint=error.hint) from error

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Mark the device as `lost` if a call within the context fails because of a fault."""
        try:
            yield
        except AclError as error:
            if error.code in FAULTS:
                self.lose(error.what)
            raise

    def lose(self, reason: str) -> None:
        """Mark the device as `lost`, and remember why."""
        self.lost, self._reason = True, reason

    def check(self) -> None:
        """Raise `DeviceLost` if the device is lost."""
        if self.lost:
            raise DeviceLost(f"NPU {self.index} failed in an earlier run: {self._reason}", hint=FIX)

    def release(self, call: str, *arguments: Any, waits: bool = False) -> None:
        """Make a call that releases something. On a lost device, errors are ignored and calls that wait are skipped."""
        if not self.lost:
            with self.watched():
                self.acl.do(call, *arguments)
        elif not waits:
            with suppress(AclError):
                self.acl.do(call, *arguments)

    def reset(self) -> None:
        """Reopen the device after a fault, once everything on it has been released. Raises `DeviceError`."""
        self._held.close()
        self._take()
        self.lost = False

    def close(self) -> None:
        """Release the device and end the runtime. Raises `DeviceError` if the device cannot be released.

        Then the runtime is not ended either: the end of the process frees what it holds.
        """
        self._held.close()
        if not self._stuck:
            self.acl.do("finalize")

    def _take(self) -> None:
        try:
            self.acl.do("rt.set_device", self.index)
        except AclError as error:
            count, failed = self.acl.ask("rt.get_device_count")
            found = "the runtime finds none" if failed else f"the runtime finds {count}"
            raise DeviceError(f"NPU {self.index} cannot be used; {found}: {error.what}", hint=error.hint) from error
        self._held.callback(self._give_back)
        self._context = self.acl.do("rt.create_context", self.index)
        self._held.callback(self._leave)

    def _leave(self) -> None:
        context, self._context = self._context, None
        self.release("rt.destroy_context", context)

    def _give_back(self) -> None:
        try:
            self.acl.do("rt.reset_device", self.index)
        except AclError as error:
            self._stuck = True
            raise DeviceError(
                f"NPU {self.index} cannot be reset: {error.what}",
                hint="It is released when this process ends. If not, reset it, which ends everything on the chip: "
                "npu-smi set -t reset -i CARD -c CHIP",
            ) from error
