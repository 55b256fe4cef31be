"""acl.util: conversions between Python's objects and addresses."""

from __future__ import annotations

import ctypes

from acl import _process
from acl._memory import is_device_address, pinned_span
from acl._process import INVALID, call


@call("plain")
def bytes_to_ptr(data: bytes) -> int | None:
    return ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value


@call("plain")
def ptr_to_bytes(ptr: int, size: int) -> bytes:
    if is_device_address(ptr):
        _process.process.refuse(INVALID, "device memory read from the host")
    pinned_span(ptr, size)
    return ctypes.string_at(ptr, size)
