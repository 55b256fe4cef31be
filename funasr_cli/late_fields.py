"""Fields that were added to a dataclass after its values had been put on record."""

from __future__ import annotations

from dataclasses import MISSING, field, fields, is_dataclass
from typing import Any

_BEFORE = "before"


def late(default: Any, *, before: Any = MISSING) -> Any:
    """A dataclass field that records of older versions do not have, with its default.

    `before` is the value that says the same as its absence there: the default that held when the field came. Name it
    once the default changes.
    """
    return field(default=default, metadata={_BEFORE: default if before is MISSING else before})


def as_record(value: Any) -> Any:
    """A dataclass as a dictionary, nested ones too, without the late fields that say what their absence says."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            part.name: as_record(getattr(value, part.name))
            for part in fields(value)
            if _BEFORE not in part.metadata or getattr(value, part.name) != part.metadata[_BEFORE]
        }
    if isinstance(value, (tuple, list)):
        return [as_record(part) for part in value]
    return value
