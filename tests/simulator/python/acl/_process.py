"""The state of the runtime in this process: the machine, the resources in use, and the broken rules."""

from __future__ import annotations

import atexit
import functools
import itertools
import json
import os
import threading
import traceback
import typing
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acl._machine import Machine

SUCCESS = 0
INVALID, UNINITIALISED, INITIALISED_TWICE, FINALISED_TWICE = 100000, 100001, 100002, 100037
RT_INVALID, NO_DEVICE, NO_CONTEXT, OTHER_STREAM, OTHER_MODEL = 107000, 107001, 107002, 107003, 107004
NOT_SUPPORTED, NO_MEMORY, LOAD_FAILED, MODEL_INVALID = 207000, 207001, 500002, 145000
DEVICE_BUSY, TIMED_OUT, DRIVER_ERROR = 507033, 507046, 507899

FAULTS = range(507000, 508000)
"""After one of these errors the context is unusable."""

FIRST_ADDRESS = 0xACE1_0000_0000_0000
"""The first address. It is not canonical: no processor takes it for an address of the host."""

ALIGNMENT = 64
HERE = str(Path(__file__).parent)


class Refused(Exception):
    """Ends a call with an error code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Resource:
    """Something with a handle, in the context that was current when it was made."""

    rank = 0
    """Descriptions and models (3 and 4) must be released after lower ranks in their context; 0 is exempt."""

    owned = False
    """Whether another resource owns this one and releases it."""

    def __init__(self, process: Process, context: Context | None, handle: int | None = None) -> None:
        self.process, self.context = process, context
        self.handle = process.address() if handle is None else handle
        self.made = caller()
        process.resources[self.handle] = process.kinds[type(self)][self.handle] = self

    @property
    def kind(self) -> str:
        return type(self).__name__.lower()

    def release(self) -> None:
        """Remove the resource; any later use breaks a rule."""
        lost = self.context is not None and self.context.fault
        if not lost and any(self in task.holds for task in self.process.pending):
            self.process.violation(f"{self.kind} released while a run with it is under way")
        if not lost and self.rank >= 3:
            for other in self.process.resources.values():
                if other.context is self.context and 0 < other.rank < self.rank:
                    self.process.violation(f"{self.kind} released before the {other.kind} made at {other.made}")
        self.forget()

    def forget(self) -> None:
        self.process.resources.pop(self.handle, None)
        self.process.kinds[type(self)].pop(self.handle, None)
        self.process.gone[self.handle] = self.kind


class Context(Resource):
    def __init__(self, process: Process, device: Device, *, explicit: bool) -> None:
        super().__init__(process, None)
        self.device, self.owned, self.fault = device, not explicit, 0


@dataclass(eq=False)
class Device:
    """A device in this process. `sets` counts set_device minus reset_device."""

    index: int
    soc: str
    memory: int
    used: int = 0
    sets: int = 0
    fault: int = 0
    default: Context | None = None


class Process:
    """One lifetime of the runtime in this process."""

    def __init__(self) -> None:
        self.machine = Machine.of_environment()
        self.pid = os.getpid()
        self.devices = {
            logical: Device(physical, self.machine.socs[physical], int(self.machine.memory_mb * 1e6))
            for logical, physical in enumerate(self.machine.visible())
        }
        self.next_address = FIRST_ADDRESS
        self.model_ids = itertools.count(1)
        self.resources: dict[int, Resource] = {}
        self.kinds: dict[type, dict[int, Resource]] = defaultdict(dict)
        self.gone: dict[int, str] = {}
        self.violations: list[str] = []
        self.message: str | None = None
        self.pending: list[Any] = []
        self.lock = threading.RLock()
        self.thread = threading.local()
        self.initialised = self.finalised = False
        self.calls: Counter[str] = Counter()
        self.waits = 0
        self.runs, self.busy = 0, 0.0

    def address(self, room: int = 0) -> int:
        """Return a handle or address that was never used before, with `room` bytes of its own."""
        address = self.next_address
        self.next_address += ALIGNMENT * (1 + -(-room // ALIGNMENT))
        return address

    def violation(self, what: str) -> None:
        """Record that a rule was broken, and by which line."""
        with self.lock:
            self.violations.append(f"{what}; at {caller()}")

    def refuse(self, code: int, what: str) -> typing.NoReturn:
        """Record a broken rule, and end the call with `code`."""
        self.violation(what)
        self.fail(code, what)

    def fail(self, code: int, message: str) -> typing.NoReturn:
        """End the call with `code`, as a machine may do to a correct program."""
        self.message = f"EE{code}: {message}"
        raise Refused(code)

    def count_call(self, name: str) -> None:
        """Count a call of that name; end it if it is set to fail."""
        self.calls[name] += 1
        code = self.machine.failure(name, self.calls[name])
        if code:
            self.befall(code, f"{name} failed by itself")

    def befall(self, code: int, message: str) -> typing.NoReturn:
        """End the call with `code`; a device fault also loses the context."""
        context: Context | None = getattr(self.thread, "context", None)
        if context is not None and code in FAULTS:
            context.fault = context.device.fault = code
        self.fail(code, message)

    @property
    def here(self) -> Context:
        """Return the calling thread's context, lost or not."""
        context: Context | None = getattr(self.thread, "context", None)
        if context is None or context.handle not in self.resources:
            self.refuse(NO_CONTEXT, "a call from a thread without a context")
        return context

    @property
    def context(self) -> Context:
        """Return the calling thread's context, if it is usable."""
        context = self.here
        if context.fault == TIMED_OUT:
            self.violation("a call to a device that hangs, which may wait for ever")
        if context.fault:
            self.fail(context.fault, "the context is lost")
        return context

    def require_context(self, *, lost: bool = False) -> None:
        """End the call if its thread has no context, or a lost one, unless `lost` permits that."""
        _ = self.here if lost else self.context

    def get(self, handle: int, kind: type[Any]) -> Any:
        """Return the resource with a handle."""
        resource = self.resources.get(handle)
        if not isinstance(resource, kind):
            state = "after it was released" if handle in self.gone else "that never existed"
            self.refuse(INVALID, f"a {kind.__name__.lower()} used {state}")
        return resource

    def of(self, kind: type[Any]) -> Iterator[Any]:
        """Yield all live resources of a kind."""
        return iter(list((self.resources if kind is Resource else self.kinds[kind]).values()))

    def device(self, index: int) -> Device:
        if index not in self.devices:
            self.fail(NO_DEVICE, f"invalid device {index}")
        return self.devices[index]

    def leaks(self) -> list[str]:
        """Return what was not released."""
        left = [f"{resource.kind} made at {resource.made}" for resource in self.of(Resource) if not resource.owned]
        left += [f"device {index}, set {d.sets} times more than reset" for index, d in self.devices.items() if d.sets]
        return left + (["acl, not finalised"] if self.initialised and not self.finalised else [])

    def report(self) -> dict[str, Any]:
        return {
            "violations": self.violations,
            "leaks": self.leaks(),
            "runs": self.runs,
            "busy": self.busy,
        }


process = Process()


def new_process() -> Process:
    """Forget everything, as if the interpreter had been restarted; for tests that stay in one process."""
    global process
    process = Process()
    return process


@atexit.register
def _leave_report() -> None:
    if process.initialised and Path(process.machine.folder or "/none").is_dir() and process.pid == os.getpid():
        path = Path(process.machine.folder) / f"process-{process.pid}.json"
        path.write_text(json.dumps(process.report()), encoding="utf-8")


def caller() -> str:
    """Return files and lines of the nearest callers outside the runtime."""
    frames = (frame for frame, _ in traceback.walk_stack(None) if not frame.f_code.co_filename.startswith(HERE))
    places = [f"{os.path.basename(f.f_code.co_filename)}:{f.f_lineno}" for f in itertools.islice(frames, 3)]
    return ", ".join(places)


Function = typing.TypeVar("Function", bound=Callable[..., Any])


def call(gives: str = "code", *, before_init: bool = False) -> Callable[[Function], Function]:
    """Make a function a call of the runtime, with positional arguments of exact types and a result in its form.

    `gives`: `code`; `value` and code; two `values` and code; or a `plain` value, None on failure.
    """

    def decorate(function: Function) -> Function:
        hints = typing.get_type_hints(function)
        hints.pop("return", None)
        wanted = [typing.get_origin(hint) or hint for hint in hints.values()]
        least = len(wanted) - len(function.__defaults__ or ())
        name = f"{function.__module__}.{function.__name__}".removeprefix("acl.")
        failed: Any = {"plain": None, "values": (0, 0)}.get(gives, {} if "dims" in function.__name__ else 0)

        @functools.wraps(function)
        def wrapper(*arguments: Any) -> Any:
            if not least <= len(arguments) <= len(wanted):
                raise TypeError(f"{function.__name__} takes {len(wanted)} arguments, not {len(arguments)}")
            for value, kind in zip(arguments, wanted, strict=False):
                if type(value) is not kind:
                    raise TypeError(f"{function.__name__}: {kind.__name__} expected, not {type(value).__name__}")
            try:
                if os.getpid() != process.pid:
                    process.refuse(DRIVER_ERROR, "a call in a process that was forked after the runtime was loaded")
                if not before_init and (not process.initialised or process.finalised):
                    process.refuse(UNINITIALISED, f"{function.__name__} called outside of init and finalize")
                process.count_call(name)
                value, code = function(*arguments), SUCCESS
            except Refused as refused:
                value, code = failed, refused.code
            if gives == "code":
                return code
            if gives == "plain":
                return value
            return (*value, code) if gives == "values" else (value, code)

        return typing.cast(Function, wrapper)

    return decorate
