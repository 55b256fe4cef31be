"""Paths and other text in output for programs: UTF-8 in every locale, and each path as it is.

Not every path is UTF-8, and JSON is. One that is not comes as a `file:` URI, by which no other path is called, and once
more, in a field of its own, as its bytes in Base64.
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
"""Ends the names of the fields that hold in Base64 what is not UTF-8."""

_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What JSON may hold as it is, and what ends a line for some readers, drives a terminal, or has no place in UTF-8."""


def json_text(document: Any, **layout: Any) -> str:
    """`document` as JSON that any encoding of Unicode can carry; `layout` is that of `json.dumps`."""
    text = json.dumps(document, ensure_ascii=False, **layout)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def json_for_stdout(document: Any, **layout: Any) -> str:
    """`document` as JSON in ASCII alone, so that it is UTF-8 whatever the locale makes of standard output."""
    return json.dumps(document, **layout)


def path_fields(name: str, path: str | os.PathLike[str]) -> dict[str, str]:
    """The field `name` with the path as text, and if it is not UTF-8 also `<name>_bytes` in Base64."""
    text = utf8_text(path)
    if text is not None:
        return {name: text}
    return {name: path_text(path), f"{name}{BYTES_SUFFIX}": _base64(path)}


def path_list_fields(name: str, paths: Iterable[str | os.PathLike[str]]) -> dict[str, Any]:
    """The field `name` with a list of paths, and if some are not UTF-8 also `<name>_bytes`: these, by their text."""
    listed = list(paths)
    return {name: [path_text(path) for path in listed], **_bytes_field(name, listed)}


def by_path_fields(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The same as `path_list_fields` with values by path."""
    return {name: {path_text(path): value for path, value in values.items()}, **_bytes_field(name, values)}


def path_text(path: str | os.PathLike[str]) -> str:
    """A path as text that no other path has: itself, or a `file:` URI with its odd bytes as %FF if it is not UTF-8."""
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
    """The bytes of a path. Text that the locale has no bytes for leads nowhere; it comes in UTF-8."""
    try:
        return os.fsencode(path)
    except UnicodeEncodeError:
        return os.fspath(path).encode(errors="surrogateescape")
