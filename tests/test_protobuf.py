"""The wire format: written messages can be read, and damaged ones are reported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import binary, integers, lists

from funasr_cli import protobuf

NUMBERS = integers(1, 2**29 - 1)


@given(NUMBERS, integers(0, 2**64 - 1), NUMBERS, binary(max_size=300))
def test_fields_are_read_as_they_were_written(first: int, value: int, second: int, content: bytes) -> None:
    written = protobuf.integer(first, value) + protobuf.message(second, content)
    number, text = protobuf.fields(memoryview(written))
    assert (number.number, number.value, number.integers) == (first, value, [value])
    assert (text.number, bytes(text.message)) == (second, content)
    assert bytes(number.raw) + bytes(text.raw) == written


@given(lists(integers(0, 2**64 - 1)))
def test_packed_integers_are_read_one_by_one(values: list[int]) -> None:
    (field,) = protobuf.fields(memoryview(protobuf.message(4, *map(protobuf.varint, values))))
    assert field.integers == values


def test_numbers_of_fixed_size_are_passed_over() -> None:
    data = b"\x0d" + bytes(4) + b"\x11" + bytes(8) + protobuf.integer(3, 7)
    assert [field.number for field in protobuf.fields(memoryview(data))] == [1, 2, 3]


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"\x80", "ends within an integer"), (b"\x0a\x05abc", "ends within a field"), (b"\x0b", "wire type 3")],
)
def test_what_is_damaged_is_an_error(data: bytes, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        list(protobuf.fields(memoryview(data)))


def test_an_integer_is_no_message() -> None:
    (field,) = protobuf.fields(memoryview(protobuf.integer(1, 5)))
    with pytest.raises(ValueError, match="expected bytes"):
        _ = field.message
