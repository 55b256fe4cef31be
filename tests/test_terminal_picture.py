"""The picture of the terminal in the README."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from scripts.terminal_picture import COMMANDS, PICTURE, PROMPT, drawn

MAX_BYTES = 60_000


def text_of(svg: str) -> str:
    """What the picture shows, in the order of its parts."""
    return "".join(ElementTree.fromstring(svg).itertext()).replace("\xa0", " ")


def test_it_is_small_and_asks_no_other_host() -> None:
    svg = PICTURE.read_text(encoding="utf-8")
    assert len(svg.encode()) <= MAX_BYTES
    assert re.findall(r"https?://[^\"' ]*", svg) == ["http://www.w3.org/2000/svg"]
    assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", svg)


def test_it_shows_the_commands_and_a_result() -> None:
    shown = text_of(PICTURE.read_text(encoding="utf-8"))
    for command in COMMANDS:
        assert shown.count(command) == shown.count(PROMPT + command) > 0
    assert re.search(r"00:00:\d\d,\d{3} --> ", shown)


def test_a_screen_is_drawn_with_its_colours() -> None:
    svg = drawn("$ \x1b[33mhello\x1b[0m & 'good' <bye>")
    assert "$ hello & 'good' <bye>" in text_of(svg)
    assert svg.count("fill:") >= 2
