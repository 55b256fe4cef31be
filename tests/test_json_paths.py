"""Paths in JSON: unchanged, in UTF-8, and distinct."""

from __future__ import annotations

import base64
import json
import os
from pathlib import PurePath
from urllib.parse import unquote_to_bytes

from hypothesis import given
from hypothesis import strategies as st

from funasr_cli.json_paths import by_path_fields, json_text, path_fields, path_list_fields, path_text

NAMES = st.binary(min_size=1, max_size=12).filter(lambda name: b"\0" not in name and b"/" not in name)


def test_a_path_in_utf8_is_as_it_is() -> None:
    name = "会议\u3000\u00a0\u200d\n\x85\u2028\u202e\ufeff\\n%FF.wav"
    assert path_fields("path", f"/data/{name}") == {"path": f"/data/{name}"}
    assert json.loads(json_text({name: name})) == {name: name}


def test_a_path_that_is_not_utf8_is_a_uri_and_its_bytes() -> None:
    data = "/data/会 议/".encode() + "开会%".encode("gbk") + b"\n.wav"
    fields = path_fields("path", os.fsdecode(data))
    assert fields["path"] == "file:///data/会%20议/%BF%AA%BB%E1%25%0A.wav"
    assert unquote_to_bytes(fields["path"].removeprefix("file://")) == data
    assert base64.b64decode(fields["path_bytes"]) == data
    assert path_text(PurePath(os.fsdecode(b"a\xff.wav"))) == "file:a%FF.wav"


def test_a_list_and_a_mapping_of_paths_name_the_bytes_of_those_that_are_not_utf8() -> None:
    odd = os.fsdecode(b"a\xff")
    assert path_list_fields("paths", ["b", odd]) == {"paths": ["b", "file:a%FF"], "paths_bytes": {"file:a%FF": "Yf8="}}
    assert by_path_fields("outputs", {odd: 1, "b": 2}) == {
        "outputs": {"file:a%FF": 1, "b": 2},
        "outputs_bytes": {"file:a%FF": "Yf8="},
    }
    assert path_list_fields("paths", ["b"]) == {"paths": ["b"]}


@given(NAMES, NAMES)
def test_no_two_paths_share_a_text_and_each_leads_back(one: bytes, other: bytes) -> None:
    texts = [path_text(os.fsdecode(b"/" + name)) for name in (one, other)]
    assert (texts[0] == texts[1]) == (one == other)
    fields = path_fields("path", os.fsdecode(b"/" + one))
    data = base64.b64decode(fields["path_bytes"]) if "path_bytes" in fields else fields["path"].encode()
    assert data == b"/" + one


@given(st.text())
def test_json_ends_no_line_and_survives_any_encoding(text: str) -> None:
    line = json_text({"path": text})
    assert json.loads(line) == {"path": text}
    assert len(line.splitlines()) == 1
    assert line.encode().decode() == line
