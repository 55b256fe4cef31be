"""Find where a text sounds like a word of a list: a tree of the words' syllables, walked from every character.

A walk ends with the first syllable that does not continue any word, so its time hardly depends on the number of words.
A branch is built when a text first reaches it: of 100,000 words, most are never reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from funasr_cli.text.pinyin import Sound, listed_sounds, sounds

Entry = TypeVar("Entry")


class _Node(Generic[Entry]):
    """The words that begin with the same `depth` sounds: `entries` are those that end here, `longer` the others."""

    __slots__ = ("_depth", "_longer", "_next", "entries")

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._longer: list[tuple[str, Entry]] = []
        self._next: dict[Sound, _Node[Entry]] | None = None
        self.entries: list[Entry] = []

    def add(self, text: str, entry: Entry) -> None:
        """Add a word whose first sounds lead here."""
        if len(text) == self._depth:
            self.entries.append(entry)
        else:
            self._longer.append((text, entry))

    @property
    def next(self) -> Mapping[Sound, _Node[Entry]]:
        """The node for each further sound."""
        if self._next is None:
            self._next = {}
            for text, entry in self._longer:
                for sound in listed_sounds(text[self._depth]):
                    node = self._next.get(sound)
                    if node is None:
                        node = self._next[sound] = _Node(self._depth + 1)
                    node.add(text, entry)
            self._longer.clear()
        return self._next


class SoundIndex(Generic[Entry]):
    """Entries, indexed by the Chinese characters of their text."""

    def __init__(self, entries: Iterable[tuple[str, Entry]]) -> None:
        self._root: _Node[Entry] = _Node(0)
        for text, entry in entries:
            self._root.add(text, entry)

    def find(self, text: str) -> Iterator[tuple[int, int, Entry]]:
        """Yield start, end and entry of all stretches of `text` that may sound like an entry, some more than once."""
        heard = [sounds(char) for char in text]
        for start in range(len(text)):
            nodes = [self._root]
            for end in range(start, len(text)):
                nodes = [node.next[sound] for node in nodes for sound in heard[end] if sound in node.next]
                if not nodes:
                    break
                yield from ((start, end + 1, entry) for node in nodes for entry in node.entries)
