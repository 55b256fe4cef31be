"""Where a text sounds like a word of a list: a tree of the words' syllables, walked from every character.

The walk ends with the first syllable that no word goes on with, so its time hardly depends on the number of words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from funasr_cli.text.pinyin import Sound, sounds

Entry = TypeVar("Entry")


@dataclass(slots=True)
class _Node(Generic[Entry]):
    next: dict[Sound, _Node[Entry]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)


class SoundIndex(Generic[Entry]):
    """Entries by the Chinese characters they are written with."""

    def __init__(self, entries: Iterable[tuple[str, Entry]]) -> None:
        self._root: _Node[Entry] = _Node()
        for text, entry in entries:
            nodes = [self._root]
            for char in text:
                nodes = [node.next.setdefault(sound, _Node()) for node in nodes for sound in sounds(char)]
            for node in nodes:
                node.entries.append(entry)

    def find(self, text: str) -> Iterator[tuple[int, int, Entry]]:
        """Start, end and entry of all stretches of `text` that may be heard as an entry; an entry may come twice."""
        heard = [sounds(char) for char in text]
        for start in range(len(text)):
            nodes = [self._root]
            for end in range(start, len(text)):
                nodes = [node.next[sound] for node in nodes for sound in heard[end] if sound in node.next]
                if not nodes:
                    break
                yield from ((start, end + 1, entry) for node in nodes for entry in node.entries)
