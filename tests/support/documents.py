"""What is in our documents: code blocks, commands, links, and names of the code in backticks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

DOCS = ROOT / "docs"

PAGES = [*sorted(ROOT.glob("*.md")), ROOT / "benchmarks/README.md", *sorted(DOCS.glob("*.md"))]
"""All documents."""

PROGRAM = "funasr-cli"

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)


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


def blocks(document: str | Path, heading: str = "") -> list[Block]:
    """The code blocks of a document in `docs`, or of its section with this heading."""
    text = _text(document)
    if heading:
        _, found, rest = text.partition(f"## {heading}\n")
        assert found, f"{document} has no section {heading}"
        text = rest.partition("\n## ")[0]
    return [Block(*match.groups()) for match in _BLOCK.finditer(text)]


def inline(document: str | Path) -> list[str]:
    """Return the text in backticks in a document, without code blocks."""
    return _INLINE.findall(prose(document))


def prose(document: str | Path) -> str:
    """The text of a document without its code blocks."""
    return _BLOCK.sub("", _text(document))


def links(document: str | Path) -> list[str]:
    """Where the links and pictures of a document lead."""
    return _LINK.findall(_INLINE.sub("", prose(document)))


def headings(document: str | Path) -> list[tuple[int, str]]:
    """The level and the text of each heading."""
    return [(len(signs), text) for signs, text in _HEADING.findall(prose(document))]


def anchors(document: str | Path) -> set[str]:
    """What can follow the # in a link to a document: its headings as GitHub writes them there."""
    found: list[str] = []
    for _, text in headings(document):
        anchor = re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-")
        found.append(f"{anchor}-{found.count(anchor)}" if anchor in found else anchor)
    return {*found}


def commands(script: str) -> Iterator[tuple[str, ...]]:
    """The arguments of each `funasr-cli` in a shell script, also of those within quotes.

    Absolute paths become relative, and `$(funasr-cli models path NAME)` the folder `published`.
    """
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        arguments: list[str] | None = None
        for word in [*lexer, ";"]:
            if {*word} <= {*"();<>|&"}:
                if arguments is not None:
                    yield tuple(arguments)
                arguments = None
            elif arguments is not None:
                arguments.append(re.sub(r"\$\(\S+ models path \S+\)", "published", word).removeprefix("/"))
            elif word.rpartition("/")[2] == PROGRAM:
                arguments = []
            if f"{PROGRAM} " in word:
                yield from commands(word)


def rows(document: str | Path, heading: str) -> list[list[str]]:
    """The rows of the table that has this heading in its first column, cell by cell."""
    _, found, rest = _text(document).partition(f"| {heading} |")
    assert found, f"{document} has no table {heading}"
    table = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def _text(document: str | Path) -> str:
    return (DOCS / document).read_text(encoding="utf-8")
