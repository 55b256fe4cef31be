"""Reader and writer for protobuf's wire format (protobuf.dev/programming-guides/encoding), as far as ONNX needs it.

The package onnx would load whole files, weights included, and takes 31 MB that a run needs for nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message: an integer, or the bytes of any other value; `raw` is the field as stored."""

    number: int
    value: int | memoryview
    raw: memoryview

    @property
    def message(self) -> memoryview:
        """The bytes of a message, a string or packed values. Raises `ValueError` if it is an integer."""
        if isinstance(self.value, int):
            raise ValueError(f"field {self.number}: expected bytes, got the integer {self.value}")
        return self.value

    @property
    def text(self) -> str:
        """The value as a string. Raises `ValueError` if it is not one."""
        return bytes(self.message).decode()

    @property
    def integers(self) -> list[int]:
        """The value as a list of integers: a single one, or packed ones."""
        if isinstance(self.value, int):
            return [self.value]
        values, at = [], 0
        while at < len(self.value):
            value, at = _read_varint(self.value, at)
            values.append(value)
        return values


def fields(data: memoryview) -> Iterator[Field]:
    """Iterate over the fields of a message in order. Raises `ValueError` if `data` is not a message."""
    at = 0
    while at < len(data):
        start = at
        key, at = _read_varint(data, at)
        wire = key & 7
        if wire == VARINT:
            value, at = _read_varint(data, at)
            yield Field(key >> 3, value, data[start:at])
            continue
        if wire == BYTES:
            size, at = _read_varint(data, at)
        elif wire in (FIXED32, FIXED64):
            size = 4 if wire == FIXED32 else 8
        else:
            raise ValueError(f"wire type {wire} at byte {at}")
        if at + size > len(data):
            raise ValueError(f"ends within a field at byte {at}")
        yield Field(key >> 3, data[at : at + size], data[start : at + size])
        at += size


def integer(number: int, value: int) -> bytes:
    """Encode a field with a non-negative integer."""
    return varint(number << 3 | VARINT) + varint(value)


def message(number: int, *parts: bytes) -> bytes:
    """Encode a field with a message, a string or packed values, made of `parts`."""
    return header(number, sum(map(len, parts))) + b"".join(parts)


def header(number: int, size: int) -> bytes:
    """Encode the header of a field with `size` bytes."""
    return varint(number << 3 | BYTES) + varint(size)


def varint(value: int) -> bytes:
    """Encode a non-negative integer with seven bits per byte, lowest first."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    """Decode the integer at `at`; return it and the offset after it."""
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("ends within an integer")
