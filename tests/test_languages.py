"""Languages are accepted however people write them."""

from __future__ import annotations

import pytest

from funasr_cli.languages import CODES, language_code, languages_like


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *(
            (written, "zh")
            for written in ("zh", "zh-CN", "zh_TW", "zh-Hans-CN", "cmn", "CN", "chinese", "Mandarin", "中文")
        ),
        *((written, "en") for written in ("EN", "en-US", "en_GB", "english", "eng")),
        *((written, "ja") for written in ("jp", "ja_JP", "Japanese", "日语")),
        *((written, "yue") for written in ("yue", "yue-HK", "zh-yue", "cantonese", "粤语")),
        *((written, "ko") for written in ("kr", "kor")),
        *((written, "auto") for written in ("auto", "AUTO", " auto ")),
        ("pt_BR", "pt"),
        ("ger", "de"),
        ("iw", "he"),
        ("xx", "xx"),
        ("klingon", "klingon"),
    ],
)
def test_a_language_has_one_code(written: str, code: str) -> None:
    assert language_code(written) == code


def test_codes_stand_for_themselves() -> None:
    for code in set(CODES.values()):
        assert language_code(code) == code


def test_what_was_probably_meant() -> None:
    known = frozenset({"zh", "en", "ja", "yue"})
    assert languages_like("chinees", known) == ["zh"]
    assert languages_like("cantonise", known) == ["yue"]
    assert languages_like("xx", known) == []
