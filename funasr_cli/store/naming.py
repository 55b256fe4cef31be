"""Which output file belongs to which recording."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import PurePath

from funasr_cli.inputs.scan import Source


def assign_names(sources: Iterable[Source], taken: Iterable[PurePath] = ()) -> dict[Source, PurePath]:
    """A name without the format's ending for each source, in order: its stem where free, else its full name.

    `taken` are names that belong to recordings seen before.
    """
    owned = set(taken)
    names: dict[Source, PurePath] = {}
    for source in sources:
        name = next(name for name in candidates(source.relative) if name not in owned)
        owned.add(name)
        names[source] = name
    return names


def candidates(relative: PurePath) -> Iterator[PurePath]:
    """The names that a source may have, the obvious one first."""
    yield relative.with_name(relative.stem)
    yield relative
    for number in count(2):
        yield relative.with_name(f"{relative.name}.{number}")
