"""The record of a dataclass stays the same when the class gets new fields."""

from __future__ import annotations

from dataclasses import dataclass, field

from funasr_cli.late_fields import as_record, late


@dataclass(frozen=True)
class Inner:
    width: int = 1
    height: int = late(2)


@dataclass(frozen=True)
class Outer:
    name: str = "a"
    speed: str = late("fast", before="slow")
    inner: Inner = field(default_factory=Inner)
    inners: tuple[Inner, ...] = ()


def test_a_late_field_is_left_out_as_long_as_it_says_what_held_before() -> None:
    assert as_record(Inner()) == {"width": 1}
    assert as_record(Inner(height=3)) == {"width": 1, "height": 3}


def test_a_default_that_changed_later_is_on_record() -> None:
    assert as_record(Outer()) == {"name": "a", "speed": "fast", "inner": {"width": 1}, "inners": []}
    assert as_record(Outer(speed="slow")) == {"name": "a", "inner": {"width": 1}, "inners": []}


def test_late_fields_are_left_out_in_nested_groups_too() -> None:
    nested = Outer(inner=Inner(5, 6), inners=(Inner(), Inner(7, 8)))
    assert as_record(nested)["inner"] == {"width": 5, "height": 6}
    assert as_record(nested)["inners"] == [{"width": 1}, {"width": 7, "height": 8}]
