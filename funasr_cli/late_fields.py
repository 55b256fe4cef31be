"""Dataclass fields that were added after older versions had recorded values of the class."""

from __future__ import annotations

from dataclasses import MISSING, field, fields, is_dataclass
from typing import Any

_BEFORE = "before"


def late(default: Any, *, before: Any = MISSING) -> Any:
    """A dataclass field that records of older versions lack, with its default.

    `before` is the value that an absent field stands for: the default at the time the field was added. Pass it once
    the default changes.
    """
    return field(default=default, metadata={_BEFORE: default if before is MISSING else before})


def as_record(value: Any) -> Any:
    """Convert a dataclass to a dictionary, recursively, without late fields whose value equals their absence."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            part.name: as_record(getattr(value, part.name))
            for part in fields(value)
            if _BEFORE not in part.metadata or getattr(value, part.name) != part.metadata[_BEFORE]
        }
    if isinstance(value, (tuple, list)):
        return [as_record(part) for part in value]
    return value
