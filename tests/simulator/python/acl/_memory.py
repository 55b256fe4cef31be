"""Device memory, at addresses that are not mapped on the host, and pinned memory of the host."""

from __future__ import annotations

import ctypes
import mmap
import zlib
from dataclasses import dataclass

import numpy as np

from acl import _process
from acl._process import FIRST_ADDRESS, INVALID, NO_MEMORY, Context, Process, Resource

FRESH, FREED = 0xA5, 0xDD
"""Content of memory before the first write, and of pinned memory after its release."""

# Holds the GIL, like the runtime's blocking copies; ctypes.memmove would release it.
_move = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)(
    ctypes.cast(ctypes.CDLL(None).memmove, ctypes.c_void_p).value or 0
)


class DeviceMemory(Resource):
    """An allocation on a device. Its addresses are not canonical, so no host address equals one of them."""

    rank = 2

    def __init__(self, process: Process, context: Context, size: int) -> None:
        super().__init__(process, context, process.address(size))
        self.device = context.device
        self.data = np.full(size, FRESH, np.uint8)
        self.written = False

    @property
    def kind(self) -> str:
        return "device memory"

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, start: int, count: int) -> bytes:
        return self.data[start : start + count].tobytes()

    def write(self, start: int, data: bytes) -> None:
        self.data[start : start + len(data)] = np.frombuffer(data, np.uint8)
        self.written = True


class HostMemory(Resource):
    """Pinned memory. It stays mapped after its release, and is checked again at the end."""

    rank = 2

    def __init__(self, process: Process, context: Context, size: int) -> None:
        self.map = mmap.mmap(-1, size)
        super().__init__(process, context, ctypes.addressof(ctypes.c_char.from_buffer(self.map)))
        self.size = size
        self.map[:] = bytes([FRESH]) * size

    @property
    def kind(self) -> str:
        return "host memory"

    def read(self, start: int, count: int) -> bytes:
        return self.map[start : start + count]

    def write(self, start: int, data: bytes) -> None:
        self.map[start : start + len(data)] = data

    def release(self) -> None:
        super().release()
        self.map[:] = bytes([FREED]) * self.size
        _graves.append((self.process, self.map, self.made))


_graves: list[tuple[Process, mmap.mmap, str]] = []


def written_after_free(process: Process) -> list[str]:
    """Return pinned memory that was written after its release."""
    return [
        f"host memory made at {made} was written after it was freed"
        for owner, pages, made in _graves
        if owner is process and pages[:].strip(bytes([FREED]))
    ]


@dataclass(eq=False)
class Span:
    """Part of an allocation."""

    memory: DeviceMemory | HostMemory
    start: int
    count: int

    def overlaps(self, other: Span) -> bool:
        return (
            self.memory is other.memory
            and self.start < other.start + other.count
            and other.start < self.start + self.count
        )

    @property
    def address(self) -> int:
        """The real address."""
        memory = self.memory
        return self.start + (memory.data.ctypes.data if isinstance(memory, DeviceMemory) else memory.handle)

    def checksum(self) -> int:
        return zlib.crc32(self.memory.read(self.start, self.count))


def allocate(size: int) -> DeviceMemory:
    """Allocate memory on the device of the current context."""
    process = _process.process
    context = process.context
    if size <= 0:
        process.refuse(INVALID, f"device memory of {size} bytes asked for")
    reserve(context, size)
    return DeviceMemory(process, context, size)


def reserve(context: Context, size: int) -> None:
    """Take `size` bytes of the device, or end the call."""
    device = context.device
    if device.used + size > device.memory:
        context.process.fail(NO_MEMORY, f"out of memory: {size} bytes asked for, {device.memory - device.used} free")
    device.used += size


def device_span(address: int, count: int) -> Span:
    """Return the part of a live device allocation that begins at `address`."""
    process = _process.process
    for memory in process.of(DeviceMemory):
        if memory.handle <= address < memory.handle + memory.size:
            if memory.device is not process.context.device:
                process.refuse(INVALID, "memory of another device used")
            if address + count > memory.handle + memory.size:
                process.refuse(INVALID, f"{count} bytes from {address:#x} reach beyond their device memory")
            return Span(memory, address - memory.handle, count)
    state = "after it was freed" if address in process.gone else "at an address that is not allocated"
    return process.refuse(INVALID, f"device memory used {state}, {address:#x}")


def pinned_span(address: int, count: int) -> Span | None:
    """Return the part of a live pinned allocation that begins at `address`; None if there is none."""
    process = _process.process
    for memory in process.of(HostMemory):
        if memory.handle <= address < memory.handle + memory.size:
            if address + count > memory.handle + memory.size:
                process.refuse(INVALID, f"{count} bytes from {address:#x} reach beyond their host memory")
            return Span(memory, address - memory.handle, count)
    if process.gone.get(address) == "host memory":
        process.refuse(INVALID, "host memory used after it was freed")
    return None


def is_device_address(address: int) -> bool:
    return address >= FIRST_ADDRESS


def move(target: Span | int, source: Span | int, count: int) -> None:
    """Copy bytes between allocations and addresses of the host, without releasing the GIL."""
    addresses = [end if isinstance(end, int) else end.address for end in (target, source)]
    _move(*addresses, count)
    if isinstance(target, Span) and isinstance(target.memory, DeviceMemory):
        target.memory.written = True
