"""What is in our documents: code blocks, and names of the code in backticks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

DOCS = ROOT / "docs"

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A code block: its language, and what is in it."""

    language: str
    content: str

    @property
    def file(self) -> str:
        """The file that the first line names, as a comment or as in a patch."""
        return self.content.partition("\n")[0].removeprefix("# ").removeprefix("--- ")

    def apply(self, root: Path) -> None:
        """Make the file below `root`, or change it. Raises `AssertionError` if a change does not fit the file."""
        path, content = root / self.file, self.content.partition("\n")[2]
        if self.language == "python":
            assert not path.exists(), f"{self.file} is there already"
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")
            return
        for hunk in content.split("@@\n"):
            before, after = (_side(hunk, sign) for sign in "-+")
            text = path.read_text(encoding="utf-8")
            assert text.count(before) == 1, f"{self.file} does not have these lines, or has them twice:\n{before}"
            path.write_text(text.replace(before, after), encoding="utf-8")


def _side(hunk: str, sign: str) -> str:
    """The lines of a hunk before (`-`) or after (`+`) the change."""
    return "".join(f"{line[1:]}\n" for line in hunk.splitlines() if line[:1] in ("", " ", sign))


def blocks(document: str, heading: str = "") -> list[Block]:
    """The code blocks of a document in `docs`, or of its section with this heading."""
    text = _text(document)
    if heading:
        _, found, rest = text.partition(f"## {heading}\n")
        assert found, f"{document} has no section {heading}"
        text = rest.partition("\n## ")[0]
    return [Block(*match.groups()) for match in _BLOCK.finditer(text)]


def inline(document: str) -> list[str]:
    """What stands in backticks in the text of a document, without code blocks."""
    return _INLINE.findall(_BLOCK.sub("", _text(document)))


def rows(document: str, heading: str) -> list[list[str]]:
    """The rows of the table that has this heading in its first column, cell by cell."""
    _, found, rest = _text(document).partition(f"| {heading} |")
    assert found, f"{document} has no table {heading}"
    table = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def _text(document: str) -> str:
    return (DOCS / document).read_text(encoding="utf-8")
