"""Paths and other text in JSON output: UTF-8 in every locale, without loss.

JSON is UTF-8, but not every path is. A path that is not is written as a `file:` URI, which no other path shares, and
its bytes are added in Base64 in a separate field.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from funasr_cli.files import utf8_text

BYTES_SUFFIX = "_bytes"
"""Suffix of the fields that hold, in Base64, paths that are not UTF-8."""

_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters valid in JSON that some readers take for line ends, that control terminals, or that UTF-8 cannot hold."""


def json_text(document: Any, **layout: Any) -> str:
    """Serialise `document` to JSON that any Unicode encoding can carry; `layout` are options of `json.dumps`."""
    text = json.dumps(document, ensure_ascii=False, **layout)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def json_for_stdout(document: Any, **layout: Any) -> str:
    """Serialise `document` to pure ASCII, so that it is valid UTF-8 whatever the encoding of standard output."""
    return json.dumps(document, **layout)


def path_fields(name: str, path: str | os.PathLike[str]) -> dict[str, str]:
    """The field `name` with the path as text and, if the path is not UTF-8, `<name>_bytes` in Base64."""
    text = utf8_text(path)
    if text is not None:
        return {name: text}
    return {name: path_text(path), f"{name}{BYTES_SUFFIX}": _base64(path)}


def path_list_fields(name: str, paths: Iterable[str | os.PathLike[str]]) -> dict[str, Any]:
    """The field `name` with a list of paths and, if some are not UTF-8, `<name>_bytes`: their bytes, by their text."""
    listed = list(paths)
    return {name: [path_text(path) for path in listed], **_bytes_field(name, listed)}


def by_path_fields(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Like `path_list_fields`, but the field `name` maps paths to values."""
    return {name: {path_text(path): value for path, value in values.items()}, **_bytes_field(name, values)}


def path_text(path: str | os.PathLike[str]) -> str:
    """Unique text for a path: the path itself or, if it is not UTF-8, a `file:` URI with escapes such as %FF."""
    text = utf8_text(path)
    if text is not None:
        return text
    data = _bytes(path)
    odd = data.decode(errors="surrogateescape")
    return f"file:{'//' if data.startswith(b'/') else ''}{''.join(map(_in_uri, odd))}"


def _in_uri(character: str) -> str:
    if character.isalnum() or character in "/._-~":
        return character
    return quote(character.encode(errors="surrogateescape"))


def _bytes_field(name: str, paths: Iterable[str | os.PathLike[str]]) -> dict[str, dict[str, str]]:
    odd = {path_text(path): _base64(path) for path in paths if utf8_text(path) is None}
    return {f"{name}{BYTES_SUFFIX}": odd} if odd else {}


def _base64(path: str | os.PathLike[str]) -> str:
    return base64.b64encode(_bytes(path)).decode()


def _bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a path. If the locale cannot encode it, it leads nowhere, and UTF-8 is used."""
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:
        return os.fspath(path).encode(errors="surrogateescape")
