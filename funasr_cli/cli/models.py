"""`funasr-cli models`."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from funasr_cli.cli.completion import MODEL_NAMES
from funasr_cli.errors import ModelError
from funasr_cli.files import megabytes, printable, shell_quoted
from funasr_cli.json_paths import json_for_stdout, path_fields
from funasr_cli.models.catalogue import CATALOGUE, HUGGINGFACE, MODELSCOPE, CatalogueEntry, entry_named

CLIENT_SETTINGS = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "MODELSCOPE_DOWNLOAD_MAX_RETRIES": "3",  # six seconds to find out that there is no network, not thirty
    "MODELSCOPE_DOWNLOAD_TIMEOUT": "15",  # a hub that says nothing is given up after a minute, not after four
    "MODELSCOPE_DOWNLOAD_TOTAL_TIMEOUT": "86400",  # an hour for a file is too short for 3 GB on a slow line
}
"""Variables of the hubs' clients that are set unless the user has set them."""


@click.group(short_help="List, fetch, check and carry models.")
def models() -> None:
    """The models that can be run, and those that are here.

    They live in ~/.cache/funasr-cli/models, or the folder that FUNASR_CLI_MODELS names. Only `pull` needs the network.
    """


@models.command("list", short_help="List the models, and where they are.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_(as_json: bool) -> None:
    """List the models, what they are, and where those are that are here."""
    from funasr_cli.models.store import default_model, store_dir

    default, reason = default_model()
    described = [_described(entry, default) for entry in CATALOGUE.values()]
    if as_json:
        for model in described:
            model |= path_fields("path", model["path"]) if model["path"] else {}
        click.echo(json_for_stdout({**path_fields("store", store_dir()), "reason": reason, "models": described}))
        return
    rows = [
        (
            "*" if model["default"] else "",
            model["name"],
            megabytes(model["size"]),
            model["family"],
            model["languages"],
            model["licence"],
            _whereabouts(model),
        )
        for model in described
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    damaged = next((model["fault"] for model in described if model["default"]), None)
    click.echo(f"\n* default: {reason}" + (", but damaged: a run without --model will refuse it" if damaged else ""))


@models.command()
@click.argument("name", shell_complete=MODEL_NAMES)
@click.option("--hub", type=click.Choice([MODELSCOPE, HUGGINGFACE]), default=MODELSCOPE, show_default=True)
@click.option("--revision", metavar="R", help="Branch, tag or commit, instead of the one that this program knows.")
def pull(name: str, hub: str, revision: str | None) -> None:
    """Fetch a model from a hub.

    Each file's sha256 is checked, and a pull that was interrupted goes on where it stopped. MODELSCOPE_ENDPOINT and
    HF_ENDPOINT name a mirror. REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE or SSL_CERT_DIR name the certificates
    of your company; each counts for both hubs, beside those of the system. With --revision, files are taken as the hub
    has them there.
    """
    from funasr_cli.models.store import fault, folder_of, is_present

    entry = entry_named(name)
    if is_present(entry):
        if damage := fault(entry):
            hint = f"Remove the folder {folder_of(entry)} first."
            raise ModelError(f"{name} is here, but damaged: {damage}", hint=hint)
        if revision is not None:
            raise ModelError(f"{name} is here already", where=folder_of(entry), hint="Remove that folder to change it.")
        _say(f"{name} is here already: {printable(folder_of(entry))}")
        return
    for variable, value in CLIENT_SETTINGS.items():
        os.environ.setdefault(variable, value)
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_DISABLE", "1")  # a log is no place for a progress bar
    from funasr_cli.models.download import pull as fetch

    fetch(entry, folder_of(entry), hub, revision, _say)
    _say(f"{name} is in {printable(folder_of(entry))}. Licence: {entry.licence}")


@models.command()
@click.argument("name", shell_complete=MODEL_NAMES)
def path(name: str) -> None:
    """Print the folder of a model."""
    from funasr_cli.models.store import obtain

    click.echo(os.fsencode(obtain(entry_named(name))))


@models.command()
@click.argument("name", required=False, shell_complete=MODEL_NAMES)
def verify(name: str | None) -> None:
    """Hash a model's files, or those of all that are here.

    The exit code is 4 where one is missing or not as recorded.
    """
    from funasr_cli.models.origin import described, is_known
    from funasr_cli.models.store import is_present, verified

    entries = [entry_named(name)] if name else [entry for entry in CATALOGUE.values() if is_present(entry)]
    wrong = []
    for entry in entries:
        try:
            _, record = verified(entry)
        except ModelError as error:
            wrong.append(entry.name)
            _say(f"{entry.name}: {error}")
        else:
            known = "" if is_known(record, entry) else f"; not those that are known by this name: {described(record)}"
            click.echo(f"{entry.name}: {len(record.files)} files as recorded{known}")
    if wrong:
        raise ModelError(f"not right: {', '.join(wrong)}")


@models.command()
@click.argument("name", shell_complete=MODEL_NAMES)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The bundle, a tar file.")
def pack(name: str, output: Path) -> None:
    """Make one file of a model, to carry to another machine."""
    from funasr_cli.models.bundle import pack as write
    from funasr_cli.models.store import verified

    if name not in CATALOGUE and os.path.isdir(name):
        path = Path(name).resolve()
        given, name = name, shell_quoted(path.name)
        by_tar = f"tar cf {name}.tar -C {shell_quoted(path.parent)} {name}"
        hint = f"Carry a folder of your own as it is: {by_tar}; there, tar xf, and --model DIR"
        raise ModelError("a bundle has a model that is known by its name", where=given, hint=hint)
    folder, record = verified(entry_named(name))
    write(folder, record, output)
    _say(f"{name} is in {printable(output)}. There: funasr-cli models import {printable(output.name)}")


@models.command("import", short_help="Put a model from a bundle into the store.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--trust", is_flag=True, help="Take files that this program does not know, on the bundle's word.")
def import_(bundle: Path, trust: bool) -> None:
    """Put a model from a bundle into the store, every file verified."""
    from funasr_cli.models.bundle import unpack
    from funasr_cli.models.store import store_dir

    record = unpack(bundle, store_dir(), trust=trust)
    _say(f"{record.model} is in {printable(store_dir() / record.model)}")


def _whereabouts(model: dict[str, Any]) -> str:
    if model["fault"]:
        return f"damaged: {model['fault']}"
    return printable(model["path"]) if model["path"] else "in packages" if model["packages"] else "-"


def _described(entry: CatalogueEntry, default: str) -> dict[str, Any]:
    """What there is to say about a model, as JSON has it but for its path."""
    from funasr_cli.models.embedded import is_installed
    from funasr_cli.models.origin import read_record
    from funasr_cli.models.store import fault, folder_of, is_present

    folder = folder_of(entry) if is_present(entry) else None
    origin = None
    with suppress(ModelError):  # `verify` tells of a damaged record
        origin = folder and read_record(folder, entry).origin
    return {
        "name": entry.name,
        "default": entry.name == default,
        "family": entry.family,
        "languages": entry.languages,
        "licence": entry.licence,
        "size": entry.size,
        "path": folder,
        "fault": folder and fault(entry),
        "packages": is_installed(entry),
        "origin": origin and asdict(origin),
        "hubs": {hub: repository.name for hub, repository in entry.hubs.items()},
    }


def _say(text: str) -> None:
    click.echo(text, err=True)
