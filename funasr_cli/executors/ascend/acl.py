"""Calls to pyACL, the Python runtime of Ascend NPUs, with checked return codes.

Names and numbers come from Huawei's AscendCL reference. Written for CANN 7 to 8.5.
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
"""Codes of the runtime and of its graph engine, which reports weights that do not fit."""
TIMED_OUT = 507046
FAULTS = range(507000, 508000)
"""Codes of device faults; newer CANN releases use more of them. After any of them the device's context is unusable."""

FIXES = {
    NO_DEVICE: "Devices are numbered from 0, without those hidden by ASCEND_RT_VISIBLE_DEVICES. A container has only "
    f"those passed to it: {container_options(['davinci0', *SHARED_FILES])}",
    **dict.fromkeys(NO_MEMORY, "The device's memory is full. `npu-smi info` lists the processes that use it."),
}
FIX = "`npu-smi info` shows whether the driver is loaded, whether the device is healthy, and what uses it."

ENVIRONMENT_SCRIPT = Path(__file__).parent.with_name("ascend_env.sh")
"""The script that finds CANN: scripts/ascend_env.sh, which ships with the package."""
SOURCE_COMMAND = f"source {ENVIRONMENT_SCRIPT}"

NOT_IMPORTABLE = (
    f"{SOURCE_COMMAND}   (or CANN's own set_env.sh): PYTHONPATH must contain "
    "$ASCEND_TOOLKIT_HOME/python/site-packages, LD_LIBRARY_PATH its lib64 and the driver's lib64."
)

OLD_CANN = "CANN 7.0 or later is required; funasr-cli doctor shows which version is in use."


class AclError(DeviceError):
    """A call failed with the return code `code`; `detail` is the runtime's own message."""

    def __init__(self, call: str, code: int, detail: str | None) -> None:
        reason = " ".join((detail or "").partition("TraceBack")[0].split())
        what = f"acl.{call} failed with {code}"
        super().__init__(f"{what}: {reason}" if reason else what, hint=FIXES.get(code, FIX))
        self.code = code
        self.args = (call, code, detail)  # lets pickle recreate the error in another process


class Acl:
    """CANN's module `acl`. If it cannot be imported, raises `DeviceError` with the variables to set."""

    def __init__(self) -> None:
        try:
            self._module: Any = importlib.import_module("acl")
        except ImportError as error:
            raise DeviceError(f"CANN's Python module cannot be imported: {error}", hint=NOT_IMPORTABLE) from error

    def do(self, call: str, *arguments: Any) -> Any:
        """Make a call whose result is or ends with a return code; return the other value. Raises `AclError`."""
        result = self.ask(call, *arguments)
        *values, code = result if isinstance(result, tuple) else (result,)
        if code != 0:
            raise AclError(call, code, self.ask("get_recent_err_msg"))
        return values[0] if values else None

    def make(self, call: str, *arguments: Any) -> int:
        """Make a call that returns a handle and no return code. Raises `DeviceError` if the handle is 0."""
        handle = self.ask(call, *arguments)
        if not handle:
            raise DeviceError(f"acl.{call} failed", hint=FIX)
        return int(handle)

    def ask(self, call: str, *arguments: Any) -> Any:
        """Make a call and return its result unchecked."""
        return self.find(call)(*arguments)

    def find(self, call: str) -> Callable[..., Any]:
        """Return the function. Raises `DeviceError` if this release of CANN does not have it."""
        try:
            function: Callable[..., Any] = operator.attrgetter(call)(self._module)
        except AttributeError as error:
            raise DeviceError(f"this release of CANN has no acl.{call}", hint=OLD_CANN) from error
        return function
