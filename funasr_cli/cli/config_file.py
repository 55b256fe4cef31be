"""Configuration files: YAML with option names as keys.

The position of each key is kept, so that a misspelt key or a value of the wrong type is reported with its line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from funasr_cli.cli.hotword_file import HotwordFile
from funasr_cli.errors import UsageError, reading
from funasr_cli.package_data import file_or_list
from funasr_cli.system.places import expand_home
from funasr_cli.text_encoding import ambiguity, encoding_of

if TYPE_CHECKING:
    import yaml


def read_config(path: Path, options: Mapping[str, click.Option]) -> dict[str, Any]:
    """Return the values by option name, checked against `options`. Raises `UsageError` naming the faulty line."""
    import yaml  # not needed for --help

    try:
        with reading(path, UsageError):
            document = yaml.compose(_text(path), yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise UsageError(f"is not valid YAML: {error}", where=path) from error
    if document is None:
        return {}
    if not isinstance(document, yaml.MappingNode):
        raise UsageError("has no `option: value` lines", where=path)
    values: dict[str, Any] = {}
    for key, value in document.value:
        place = f"{path}:{key.start_mark.line + 1}"
        name = str(key.value).replace("-", "_")
        option = options.get(name)
        if option is None:
            raise UsageError(f"unknown setting {key.value!r}", where=place, hint=nearest(name, options))
        if name in values:
            raise UsageError(f"duplicate setting {key.value!r}", where=place)
        try:
            plain = yaml.SafeLoader("").construct_object(value, deep=True)
        except (yaml.YAMLError, ValueError) as error:
            raise UsageError(f"{name}: not a plain value: {error}", where=place) from error
        values[name] = _checked(plain, option, place, value)
        if isinstance(option.type, HotwordFile):  # relative to the configuration file, not to the current folder
            names = plain if isinstance(plain, list) else [plain]
            values[name] = [file_or_list(part, path.parent / expand_home(part)) for part in names]
    return values


def _text(path: Path) -> str:
    """Read a UTF-8 file. Raises `OSError`, or `UsageError` naming the encoding it has instead."""
    data = path.read_bytes()
    encoding = encoding_of(data)
    if encoding != "utf-8-sig":
        hint = f"Save it as UTF-8, e.g. with `iconv -f {encoding or 'ENCODING'} -t UTF-8`."
        raise UsageError(ambiguity(data) or f"is not UTF-8 but {encoding or 'something else'}", where=path, hint=hint)
    return data.decode(encoding)


def nearest(name: str, options: Iterable[str], called: Callable[[str], str] = str) -> str:
    """Suggest the option that was probably meant; `called` turns its name into what the user types."""
    close = get_close_matches(name, list(options), n=1)
    return f"Did you mean {called(close[0])}?" if close else f"Known: {', '.join(map(called, sorted(options)))}."


def _checked(value: Any, option: click.Option, place: str, node: yaml.Node) -> Any:
    """Return the value in the form in which click takes defaults; `node` is the value as written."""
    if value in (None, "", []):
        raise UsageError(f"{option.name}: has no value", where=place, hint="Remove the line to use the default.")
    if option.is_flag != isinstance(value, bool):
        wanted = "true or false" if option.is_flag else f"{_kind(option)}, not true or false"
        raise UsageError(f"{option.name}: expected {wanted}, got {value!r}", where=place, hint=_quoted(option, node))
    if option.is_flag:
        return value
    parts = value if isinstance(value, list) else [value]
    nodes = node.value if isinstance(value, list) else [node]
    if isinstance(value, list) and not (option.multiple or option.callback):
        raise UsageError(f"{option.name}: expected one value, got a list", where=place)
    try:
        for part, written in zip(parts, nodes, strict=True):
            _check_plain(part, option, place, written)
        checked = [option.type.convert(part, option, None) for part in parts]
    except click.BadParameter as error:
        raise UsageError(f"{option.name}: {error.message}", where=place) from error
    if option.multiple:
        return checked
    return ",".join(checked) if isinstance(value, list) else checked[0]


def _check_plain(part: object, option: click.Option, place: str, node: yaml.Node) -> None:
    """Reject a value of the wrong type, such as a number or date that YAML made of what should be text."""
    text, whole = _is_text(option), isinstance(option.type, click.IntRange)
    if not isinstance(part, str if text else int if whole else (int, float)) or isinstance(part, bool):
        wanted = f"{_kind(option)} (put it in quotes)" if text else _kind(option)
        raise UsageError(f"{option.name}: expected {wanted}, got {part!r}", where=place, hint=_quoted(option, node))


def _is_text(option: click.Option) -> bool:
    return not (option.is_flag or isinstance(option.type, (click.IntRange, click.FloatRange)))


def _kind(option: click.Option) -> str:
    """The type of the option's value, in words."""
    if _is_text(option):
        return "text"
    return "a whole number" if isinstance(option.type, click.IntRange) else "a number"


def _quoted(option: click.Option, node: yaml.Node) -> str | None:
    """Suggest quotes if the value is valid as written, but YAML reads it as another type."""
    if not _is_text(option) or not isinstance(node.value, str):
        return None
    try:
        option.type.convert(node.value, option, None)
    except click.BadParameter as error:
        return error.message
    return f'YAML does not read {node.value} as text. Put it in quotes: {option.name}: "{node.value}"'
