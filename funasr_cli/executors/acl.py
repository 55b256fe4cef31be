"""pyACL, the runtime of Ascend NPUs for Python: calls whose return codes are checked, and a device held by a process.

Names and numbers are those of Huawei's AscendCL reference. Written for CANN 7 to 8.5.
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from funasr_cli.errors import DeviceError, DeviceLost

NO_DEVICE = 107001
NO_MEMORY = (207001, 245000, 245001)
"""Of the runtime, and of its graph engine where a model's weights do not fit."""
TIMED_OUT = 507046
FAULTS = range(507000, 508000)
"""Of a device. The numbers in use grow with CANN; after any of them its context cannot be used any more."""

SHARED_FILES = ("davinci_manager", "devmm_svm", "hisi_hdc")
"""What every process that uses an NPU opens in /dev, beside the NPU's own davinciN."""


def container_options(files: Iterable[str]) -> str:
    """Those of docker that give a container the `files` in /dev."""
    return " ".join(f"--device /dev/{name}" for name in files)


CURES = {
    NO_DEVICE: "Devices count from 0, without those that ASCEND_RT_VISIBLE_DEVICES hides. A container has only those "
    f"that it was given: {container_options(['davinci0', *SHARED_FILES])}",
    **dict.fromkeys(NO_MEMORY, "The device's memory is full. `npu-smi info` lists the processes that hold it."),
}
CURE = "`npu-smi info` shows whether the driver is loaded, the device is well, and who uses it."

UNKNOWN_SOC = "unknown SoC"

ENVIRONMENT = Path(__file__).with_name("ascend_env.sh")
"""What finds CANN: scripts/ascend_env.sh, which goes with the package."""
SOURCE = f"source {ENVIRONMENT}"

NOT_IMPORTABLE = (
    f"{SOURCE}   (or CANN's own set_env.sh): PYTHONPATH needs "
    "$ASCEND_TOOLKIT_HOME/python/site-packages, LD_LIBRARY_PATH its lib64 and the driver's lib64."
)


NEWEST_CALL = "rt.synchronize_stream_with_timeout"
"""Of all that are made here: pyACL has it from CANN 6.3 on."""

OLD_CANN = "CANN 7.0 or later is needed; funasr-cli doctor tells which one is in use."


class AclError(DeviceError):
    """A call failed, with the return code `code`; `detail` is what the runtime says of it."""

    def __init__(self, call: str, code: int, detail: str | None) -> None:
        reason = " ".join((detail or "").partition("TraceBack")[0].split())
        what = f"acl.{call} failed with {code}"
        super().__init__(f"{what}: {reason}" if reason else what, hint=CURES.get(code, CURE))
        self.code = code
        self.args = (call, code, detail)  # with which pickle makes it anew in another process


class Acl:
    """The module `acl` of CANN. Raises `DeviceError` that says what to set where it cannot be imported."""

    def __init__(self) -> None:
        try:
            self._module: Any = importlib.import_module("acl")
        except ImportError as error:
            raise DeviceError(f"CANN's Python module cannot be imported: {error}", hint=NOT_IMPORTABLE) from error

    def do(self, call: str, *arguments: Any) -> Any:
        """Make a call that gives a return code, last or alone; what it gives besides. Raises `AclError`."""
        result = self.ask(call, *arguments)
        *values, code = result if isinstance(result, tuple) else (result,)
        if code != 0:
            raise AclError(call, code, self.ask("get_recent_err_msg"))
        return values[0] if values else None

    def make(self, call: str, *arguments: Any) -> int:
        """Make a call that gives a handle and no return code. Raises `DeviceError` where it gives none."""
        handle = self.ask(call, *arguments)
        if not handle:
            raise DeviceError(f"acl.{call} failed", hint=CURE)
        return int(handle)

    def ask(self, call: str, *arguments: Any) -> Any:
        """Make a call; just what it gives."""
        return self.find(call)(*arguments)

    def find(self, call: str) -> Callable[..., Any]:
        """The call itself. Raises `DeviceError` where this release of CANN does not have it."""
        try:
            function: Callable[..., Any] = operator.attrgetter(call)(self._module)
        except AttributeError as error:
            raise DeviceError(f"this release of CANN has no acl.{call}", hint=OLD_CANN) from error
        return function


def survey() -> tuple[str, int]:
    """The SoC of the NPUs that this process may use, and how many they are; nothing is held of any.

    Raises `DeviceError` where the runtime is not there, or finds none.
    """
    acl = Acl()
    acl.do("init")
    try:
        count = int(acl.do("rt.get_device_count"))
        if not count:
            raise DeviceError("the runtime finds no NPU", hint=CURES[NO_DEVICE])
        return acl.ask("get_soc_name") or UNKNOWN_SOC, count
    finally:
        acl.do("finalize")


class AscendDevice:
    """The NPU `index`, held by this process from the first call of the runtime to the last, with one context.

    One a process, which was not forked: the runtime can be initialised once in a process, and does not survive a fork.
    `soc` is what models have to be compiled for, e.g. `Ascend310P3`. After a fault the device is `lost`: nothing that
    could wait for it is asked of it before `reset`.

    Raises `DeviceError` where the device cannot be used, and says what is missing.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        self.lost = self._stuck = False
        self._reason = ""
        self._held = ExitStack()
        self._context: int | None = None
        self.acl = Acl()
        self.acl.find(NEWEST_CALL)
        self.acl.do("init")
        try:
            self._take()
        except BaseException:
            self.close()
            raise
        self.soc: str = self.acl.ask("get_soc_name") or UNKNOWN_SOC

    def enter(self) -> None:
        """Make the device's context that of the calling thread; every other call needs it."""
        if self._context is not None:
            self.release("rt.set_context", self._context)

    def do(self, call: str, *arguments: Any) -> Any:
        """A call of a run, as `Acl.do`. Raises `DeviceLost` where the device failed, or did not end in time."""
        try:
            return self.acl.do(call, *arguments)
        except AclError as error:
            if error.code not in FAULTS:
                raise
            self.lose(error.what)
            ended = "did not end a run in time" if error.code == TIMED_OUT else "failed in a run"
            raise DeviceLost(f"NPU {self.index} {ended}: {error.what}", hint=error.hint) from error

    def lose(self, reason: str) -> None:
        """Have it `lost` from now on, and remember why."""
        self.lost, self._reason = True, reason

    def check(self) -> None:
        """Raise `DeviceLost` where the device is."""
        if self.lost:
            raise DeviceLost(f"NPU {self.index} failed in an earlier run: {self._reason}", hint=CURE)

    def release(self, call: str, *arguments: Any, waits: bool = False) -> None:
        """Make a call that gives something back. On a lost device its code means nothing, and what `waits` is left."""
        if not (self.lost and waits):
            try:
                self.acl.do(call, *arguments)
            except AclError:
                if not self.lost:
                    raise

    def reset(self) -> None:
        """Take the device anew after a fault; all that was on it has been released. Raises `DeviceError`."""
        self._held.close()
        self._take()
        self.lost = False

    def close(self) -> None:
        """Give the device back, and end the runtime. Raises `DeviceError` where the device does not let go.

        The runtime is not ended then: the end of the process frees what it holds.
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
                hint="It is free again when this process has ended. If it is not, this ends all that runs on the chip: "
                "npu-smi set -t reset -i CARD -c CHIP",
            ) from error
