"""Configuration files: YAML with the names of the options as keys.

A file is read with the positions of its keys, so that a misspelt or ill-typed one is reported by its line.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from funasr_cli.errors import UsageError


def read_config(path: Path, options: Mapping[str, click.Option]) -> dict[str, Any]:
    """Values by option, checked against `options`. Raises `UsageError` with the line of what is wrong."""
    import yaml  # here, so that --help does not load it

    try:
        with path.open(encoding="utf-8") as file:
            document = yaml.compose(file, yaml.SafeLoader)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=path) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"not YAML: {error}", where=path) from error
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
            raise UsageError(f"the setting {key.value!r} is there twice", where=place)
        try:
            plain = yaml.SafeLoader("").construct_object(value, deep=True)
        except (yaml.YAMLError, ValueError) as error:
            raise UsageError(f"{name}: not a plain value: {error}", where=place) from error
        values[name] = _checked(plain, option, place)
    return values


def nearest(name: str, options: Mapping[str, object]) -> str:
    """A hint at the option that was probably meant."""
    close = get_close_matches(name, options, n=1)
    return f"Did you mean {close[0]}?" if close else f"Known settings: {', '.join(sorted(options))}."


def _checked(value: Any, option: click.Option, place: str) -> Any:
    """The value as click takes it for a default."""
    if value is None or value == []:
        raise UsageError(f"{option.name}: has no value", where=place, hint="Leave the line out to take the default.")
    if option.is_flag != isinstance(value, bool):
        wanted = "true or false" if option.is_flag else f"{option.type.name}, not true or false"
        raise UsageError(f"{option.name}: expected {wanted}, got {value!r}", where=place)
    if option.is_flag:
        return value
    parts = value if isinstance(value, list) else [value]
    if isinstance(value, list) and not (option.multiple or option.callback):
        raise UsageError(f"{option.name}: expected one value, got a list", where=place)
    try:
        checked = [option.type.convert(part, option, None) for part in parts if _is_plain(part, option, place)]
    except click.BadParameter as error:
        raise UsageError(f"{option.name}: {error.message}", where=place) from error
    if option.multiple:
        return checked
    return ",".join(checked) if isinstance(value, list) else checked[0]


def _is_plain(part: object, option: click.Option, place: str) -> bool:
    """Refuse what YAML made of a value that should have been text: numbers and dates where a name belongs."""
    text = not isinstance(option.type, (click.IntRange, click.FloatRange))
    whole = isinstance(option.type, click.IntRange)
    if not isinstance(part, str if text else int if whole else (int, float)) or isinstance(part, bool):
        wanted = "text (put it into quotes)" if text else "a whole number" if whole else "a number"
        raise UsageError(f"{option.name}: expected {wanted}, got {part!r}", where=place)
    return True
