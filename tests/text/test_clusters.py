"""Nothing comes between what is read as one."""

from __future__ import annotations

import pytest

from funasr_cli.text.clusters import is_joined


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("ก", "ั", id="Thai vowel above"),
        pytest.param("ก", "่", id="Thai tone"),
        pytest.param("ก", "ำ", id="Thai am, a letter to Unicode"),
        pytest.param("เ", "ก", id="Thai leading vowel"),
        pytest.param("ก", "ๆ", id="Thai repetition"),
        pytest.param("ກ", "າ", id="Lao vowel"),
        pytest.param("ໄ", "ກ", id="Lao leading vowel"),
        pytest.param("क", "ा", id="Devanagari vowel"),
        pytest.param("क्", "ष", id="Devanagari conjunct"),
        pytest.param("က", "ာ", id="Burmese vowel"),
        pytest.param("ក្", "ម", id="Khmer subscript"),
        pytest.param("e", "\u0301", id="an accent by itself"),
        pytest.param("か", "\u3099", id="kana voicing"),
        pytest.param("き", "ょ", id="small kana"),
        pytest.param("人", "々", id="iteration"),
        pytest.param("好", "。", id="a mark after a word"),
        pytest.param(" va", " ?", id="in French after a space"),
    ],
)
def test_joined(before: str, after: str) -> None:
    assert is_joined(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "ก"), ("ก", "เ"), ("ก", "ก"), ("าน", "ท"), ("ည်", "က"), ("今", "天"), (" a", " b"), ("กั", " ๆ"), ("", "。"),
        ("好。", "“"), (" so", " .5"),
    ],
)  # fmt: skip
def test_apart(before: str, after: str) -> None:
    assert not is_joined(before, after)
