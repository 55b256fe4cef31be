"""pyACL, the runtime of Ascend NPUs for Python: calls whose return codes are checked.

Names and numbers are those of Huawei's AscendCL reference. Written for CANN 7 to 8.5.
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

from funasr_cli.errors import DeviceError
from funasr_cli.executors.ascend.device_files import SHARED_FILES, container_options

NO_DEVICE = 107001
NO_MEMORY = (207001, 245000, 245001)
"""Of the runtime, and of its graph engine where a model's weights do not fit."""
TIMED_OUT = 507046
FAULTS = range(507000, 508000)
"""Of a device. The numbers in use grow with CANN; after any of them its context cannot be used any more."""

FIXES = {
    NO_DEVICE: "Devices count from 0, without those that ASCEND_RT_VISIBLE_DEVICES hides. A container has only those "
    f"that it was given: {container_options(['davinci0', *SHARED_FILES])}",
    **dict.fromkeys(NO_MEMORY, "The device's memory is full. `npu-smi info` lists the processes that hold it."),
}
FIX = "`npu-smi info` shows whether the driver is loaded, the device is well, and who uses it."

ENVIRONMENT_SCRIPT = Path(__file__).parent.with_name("ascend_env.sh")
"""What finds CANN: scripts/ascend_env.sh, which goes with the package."""
SOURCE_COMMAND = f"source {ENVIRONMENT_SCRIPT}"

NOT_IMPORTABLE = (
    f"{SOURCE_COMMAND}   (or CANN's own set_env.sh): PYTHONPATH needs "
    "$ASCEND_TOOLKIT_HOME/python/site-packages, LD_LIBRARY_PATH its lib64 and the driver's lib64."
)

OLD_CANN = "CANN 7.0 or later is needed; funasr-cli doctor tells which one is in use."


class AclError(DeviceError):
    """A call failed, with the return code `code`; `detail` is what the runtime says of it."""

    def __init__(self, call: str, code: int, detail: str | None) -> None:
        reason = " ".join((detail or "").partition("TraceBack")[0].split())
        what = f"acl.{call} failed with {code}"
        super().__init__(f"{what}: {reason}" if reason else what, hint=FIXES.get(code, FIX))
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
            raise DeviceError(f"acl.{call} failed", hint=FIX)
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
