"""The pages for users: links lead somewhere, both languages say the same, tables say what the program has."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from funasr_cli.models.catalogue import CATALOGUE
from funasr_cli.outputs.layout import FORMATS
from tests.conftest import ROOT
from tests.support.documents import DOCS, PAGES, anchors, blocks, headings, links, rows

READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]

ENGLISH_ONLY = {"architecture.md", "processes.md", "recipes.md", "style.md", "commands.md"}
"""For developers, or made from the program's own help."""

IN_BOTH = [
    READMES[0],
    *(page for page in sorted(DOCS.glob("*.md")) if "." not in page.stem and page.name not in ENGLISH_ONLY),
]

MAX_README_LINES = 120


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def chinese(page: Path) -> Path:
    return page.with_suffix(".zh-CN.md")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        if re.match(r"\w+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = Path(os.path.normpath(page.parent / path)) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("page", IN_BOTH, ids=name_of)
def test_both_languages_have_the_same_sections(page: Path) -> None:
    english, other = ([level for level, _ in headings(it)] for it in (page, chinese(page)))
    assert english == other


@pytest.mark.parametrize("page", IN_BOTH, ids=name_of)
def test_both_languages_have_the_same_commands(page: Path) -> None:
    english, other = ([(block.language, code(block.content)) for block in blocks(it)] for it in (page, chinese(page)))
    assert english == other


@pytest.mark.parametrize("page", IN_BOTH, ids=name_of)
def test_both_languages_lead_to_each_other_and_to_pages_of_their_own(page: Path) -> None:
    assert chinese(page).name in links(page)
    assert page.name in links(chinese(page))
    in_english = {link.partition("#")[0] for link in links(chinese(page))} - {page.name}
    assert not [link for link in in_english if chinese(page.parent / link).exists()]


def code(content: str) -> list[str]:
    """The lines without comments, and without what they print for people."""
    lines = (re.sub(r'echo ".*?"|(^|\s+)# .*', "", line) for line in content.splitlines())
    return [line.rstrip() for line in lines if line.strip()]


@pytest.mark.parametrize("readme", READMES, ids=name_of)
def test_the_readme_is_short(readme: Path) -> None:
    assert len(readme.read_text("utf-8").splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize(("readme", "heading"), [*zip(READMES, ["name", "名称"], strict=True)], ids=["en", "zh"])
def test_the_readme_has_every_model_with_its_size(readme: Path, heading: str) -> None:
    listed = {row[0].strip("`"): row[1] for row in rows(readme, heading)}
    assert listed == {entry.name: rounded(entry.size) for entry in CATALOGUE.values()}


def rounded(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


@pytest.mark.parametrize(("readme", "heading"), [*zip(READMES, ["out", "输出"], strict=True)], ids=["en", "zh"])
def test_the_readme_has_every_format(readme: Path, heading: str) -> None:
    assert sorted(name for row in rows(readme, heading) for name in re.findall("`(.+?)`", row[0])) == sorted(FORMATS)
