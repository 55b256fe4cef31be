"""Messages, docstrings, comments and documents avoid the phrases that docs/style.md rules out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

FILES = ("funasr_cli/**/*.py", "benchmarks/*.py", "tests/support/*.py", "README*.md", "docs/*.md", "CHANGELOG.md")

_BE, _DO = "(?:is|are|was|were|be|been|being)", "(?:is|are|was|has|have|had|can|may|would|will|do|does)"
_NOT = "(?:cannot|could not|(?:is|are|was|does) not|has no|fails?|failed)"
_NONE = "none|nobody|nothing|that is|there are|there is|it cannot|it does not|it is not|they can|they cannot"
_OTHER = "(?! longer| more| less| later| earlier| better| worse| different| other| need| such| way)"

PHRASES = {
    "stands? (?:after|before|behind)|(?:nothing|what) stands": "is after …, is empty, the text",
    f"{_BE} told(?! to| apart| from)": "gets …, is reported",
    r"what (?:\w+ )?lacks?|what is (?:lacking|none|not there)": "what is missing, the content",
    "there (?:is|are) none of": "there is no …",
    "how-?manieth": "the number of …",
    "of which (?:is|are|all|no|none|not|there)": "whose …, or a second sentence",
    "(?:so|that) many (?:seconds|bytes|times|files|at a time)|by so (?:much|many)|of so many": "this many, by …",
    rf"(?<!here )(?<!why )(?:is|are|was|were) no{_OTHER} \S+": "is not a …, are not …",
    "what c[ao]mes? of": "the result of …",
    "(?<!further )(?<!far )(?<!left )behind(?! an? result| (?:an?|the) (?:proxy|firewall))": "after",
    "in(?:to)? (?:the|its|their) place of": "in place of, instead of",
    "(?:to|can|cannot) be had": "is available",
    "likewise|whereof|wherein|thereof|therein|hitherto": "also, or a second sentence",
    "gives? way|gave way|given way": "is replaced",
    r"put(?:s|ting)? (?:\w+ )?down": "write, record",
    r"(?:hold|holds|held|holding) (?:\S+ ){0,5}against": "compare with",
    rf"\w+, for (?:it|he|they|there|nobody|nothing|that|this) {_DO}": "because",
    "(?:none|nothing|empty|infinite|nan|zero|unless) where|raises? [^.]{0,150} where": "… if",
    rf"where (?:{_NONE})|(?<!place )where (?:the|an?|no|one|its) (?:\S+ )?{_NOT}": "if …",
    r"as (?:\w+ ){1,4}ha(?:s|ve) it": "as in …, like",
    "which is what it|called after": "named after",
    "nobody (?:knows|asks|reads)": "unknown, unused",
    "pass(?:es|ing)? over what": "skip",
    "comes? on in its": "makes progress",
    "lies? (?:under|beside|below|there)|(?:file|folder|model|om|it|they|what) lies? in": "is in …",
    "(?:word|one|paragraph|each) a line": "one per line",
    "as ever|to whoever": "as usual, to users",
}
"""Phrases that people have to read twice, as regular expressions for whole words, and what to write instead."""

BAD = """Nothing stands there. The parent is told what lacks, and there is none of it for the how-manieth time. Of all
files, of which is missing one, so many bytes: this is no model, behind it. What came of it can be had in the place of
a text, likewise as Bash has it. It came late, for it is big; it gives way to what was put down and held against
others. None where it is free, or where the file cannot be read, as ever. It is called after what nobody
reads. It does not come on in its recording; passes over what lies beside, one a line."""
GOOD = (
    "There is no model. It is no longer there. The two can be told apart. Behind a proxy, a clock is further behind.",
    "The folder where the model is. Say where it is, and what is wrong. Why is no NPU found? Half of which was said.",
    "In its place. The word for it is short. As it has to be. Without what is in the way. It may stand for a space.",
)

_COMBINED = re.compile(rf"\b(?:{'|'.join(f'({phrase})' for phrase in PHRASES)})(?!\w)")
_QUOTED = re.compile(r"`[^`\n]*`|(?<![*\w])\*[^*\s][^*\n]*\*")
_FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_MARKS = re.compile(r"""^[rbfu]{0,2}["'#]+|["']+$""")


@pytest.mark.parametrize("pattern", FILES)
def test_no_text_has_a_forbidden_phrase(pattern: str) -> None:
    paths = sorted(ROOT.glob(pattern))
    found = [(path, line) for path in paths for line in forbidden(path.read_text("utf-8"), path.suffix)]
    assert paths
    assert [f"{path.relative_to(ROOT)}:{line}" for path, line in found] == []


def test_each_phrase_is_found() -> None:
    assert {line.partition("write ")[2] for line in forbidden(BAD, ".md")} == set(PHRASES.values())


@pytest.mark.parametrize("text", GOOD)
def test_plain_english_is_left_alone(text: str) -> None:
    assert list(forbidden(text, ".md")) == []


def test_a_phrase_is_found_across_lines_and_not_in_code() -> None:
    code = 'of_which = is_no  # nothing\n# stands here\nraise Error("this is "\n            f"no {kind} model")\n'
    assert [line.partition(": write")[0] for line in forbidden(code, ".py")] == ["1: nothing stands", "3: is no {kind}"]
    assert list(forbidden("```\nis no model\n```\nnot *is no model*, `is no model`\n", ".md")) == []


def forbidden(text: str, suffix: str) -> Iterator[str]:
    """Yield line, phrase and plain form of each forbidden phrase in Python (`.py`) or Markdown (`.md`)."""
    text = only_prose(text) if suffix == ".py" else _FENCED.sub(lambda block: re.sub(r"\S", "\0", block[0]), text)
    text, start, line = _QUOTED.sub("`…`", text), 0, 1
    for passage in re.finditer("[^\0]*[^\0\\s][^\0]*", text):
        line, start = line + text.count("\n", start, passage.start()), passage.start()
        rows = enumerate(passage[0].split("\n"), line)
        words = [(at, word) for at, row in rows for part in row.split() if (word := _MARKS.sub("", part))]
        joined = " ".join(word for _, word in words)
        for match in _COMBINED.finditer(joined.lower()):
            plain = list(PHRASES.values())[(match.lastindex or 0) - 1]
            yield f"{words[joined.count(' ', 0, match.start())][0]}: {match[0]}: write {plain}"


def only_prose(source: str) -> str:
    """Replace the code of a Python file by null characters; keep strings, docstrings and comments."""
    raw = source.encode()
    starts = [0, *(match.end() for match in re.finditer(b"\n", raw))]
    nodes = [node for node in ast.walk(ast.parse(raw)) if isinstance(node, (ast.JoinedStr, ast.Constant))]
    texts = [
        (starts[node.lineno - 1] + node.col_offset, starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0))
        for node in nodes
        if isinstance(node, ast.JoinedStr) or isinstance(node.value, str)
    ]
    code, kept = bytearray(raw), bytearray(re.sub(rb"\S", b"\0", raw))
    for start, end in texts:
        code[start:end] = re.sub(rb"\S", b" ", raw[start:end])
    for start, end in [*texts, *(match.span() for match in re.finditer(b"#[^\n]*", code))]:
        kept[start:end] = raw[start:end]
    return kept.decode("utf-8")
