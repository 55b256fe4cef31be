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
    "MODELSCOPE_DOWNLOAD_MAX_RETRIES": "3",  # six seconds to notice that there is no network, instead of thirty
    "MODELSCOPE_DOWNLOAD_TIMEOUT": "15",  # give up a silent hub after a minute instead of four
    "MODELSCOPE_DOWNLOAD_TOTAL_TIMEOUT": "86400",  # the default of one hour per file is too short for 3 GB
}
"""Environment variables of the hubs' clients, set unless the user has set them."""


@click.group(short_help="List, download, verify and transfer models.")
def models() -> None:
    """List, download, verify and transfer models.

    Models are stored in ~/.cache/funasr-cli/models, or in the folder named by FUNASR_CLI_MODELS. Only `pull` needs the
    network.
    """


@models.command("list", short_help="List known models and where they are.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_(as_json: bool) -> None:
    """List known models: size, family, languages, licence, and the folder if the model is on this machine."""
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
    click.echo(f"\n* default: {reason}" + (", but it is damaged: runs without --model will fail" if damaged else ""))


@models.command()
@click.argument("name", shell_complete=MODEL_NAMES)
@click.option(
    "--hub",
    type=click.Choice([MODELSCOPE, HUGGINGFACE]),
    default=MODELSCOPE,
    show_default=True,
    help="Hub to download from.",
)
@click.option("--revision", metavar="R", help="Branch, tag or commit to download, instead of the known one.")
def pull(name: str, hub: str, revision: str | None) -> None:
    """Download a model from a hub.

    The sha256 of each file is checked. An interrupted download resumes where it stopped. With --revision, the files
    are accepted as the hub has them.

    Set MODELSCOPE_ENDPOINT or HF_ENDPOINT to use a mirror. To trust your company's certificates in addition to the
    system's, set REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE or SSL_CERT_DIR; each applies to both hubs.
    """
    from funasr_cli.models.store import fault, folder_of, is_present

    entry = entry_named(name)
    if is_present(entry):
        if damage := fault(entry):
            hint = f"Remove the folder {folder_of(entry)} first."
            raise ModelError(f"{name} is present but damaged: {damage}", hint=hint)
        if revision is not None:
            hint = "To get another revision, remove that folder first."
            raise ModelError(f"{name} is already present", where=folder_of(entry), hint=hint)
        _say(f"{name} is already present: {printable(folder_of(entry))}")
        return
    for variable, value in CLIENT_SETTINGS.items():
        os.environ.setdefault(variable, value)
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_DISABLE", "1")  # no progress bars in a log
    from funasr_cli.models.download import pull as fetch

    fetch(entry, folder_of(entry), hub, revision, _say)
    _say(f"{name} is in {printable(folder_of(entry))}. Licence: {entry.licence}")


@models.command()
@click.argument("name", shell_complete=MODEL_NAMES)
def path(name: str) -> None:
    """Print the path of a model's folder."""
    from funasr_cli.models.store import obtain

    click.echo(os.fsencode(obtain(entry_named(name))))


@models.command()
@click.argument("name", required=False, shell_complete=MODEL_NAMES)
def verify(name: str | None) -> None:
    """Verify the hashes of a model, or of all models on this machine.

    The exit code is 4 if a file is missing or differs from the record.
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
            known = "" if is_known(record, entry) else f"; not the files known by this name: {described(record)}"
            click.echo(f"{entry.name}: {len(record.files)} files as recorded{known}")
    if wrong:
        raise ModelError(f"verification failed: {', '.join(wrong)}")


@models.command()
@click.argument("name", shell_complete=MODEL_NAMES)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="Tar file to write.")
def pack(name: str, output: Path) -> None:
    """Pack a model into one file, to transfer it to another machine."""
    from funasr_cli.models.bundle import pack as write
    from funasr_cli.models.store import verified

    if name not in CATALOGUE and os.path.isdir(name):
        path = Path(name).resolve()
        given, name = name, shell_quoted(path.name)
        by_tar = f"tar cf {name}.tar -C {shell_quoted(path.parent)} {name}"
        hint = f"Transfer a folder of your own with {by_tar}; on the other machine: tar xf, and --model DIR"
        raise ModelError("only models known by name can be packed", where=given, hint=hint)
    folder, record = verified(entry_named(name))
    write(folder, record, output)
    _say(f"{name} is in {printable(output)}. On the other machine: funasr-cli models import {printable(output.name)}")


@models.command("import", short_help="Import a packed model into the store.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--trust", is_flag=True, help="Also accept files that this program does not know.")
def import_(bundle: Path, trust: bool) -> None:
    """Import a model packed by `models pack` into the store, and verify every file."""
    from funasr_cli.models.bundle import unpack
    from funasr_cli.models.store import store_dir

    record = unpack(bundle, store_dir(), trust=trust)
    _say(f"{record.model} is in {printable(store_dir() / record.model)}")


def _whereabouts(model: dict[str, Any]) -> str:
    if model["fault"]:
        return f"damaged: {model['fault']}"
    return printable(model["path"]) if model["path"] else "in packages" if model["packages"] else "-"


def _described(entry: CatalogueEntry, default: str) -> dict[str, Any]:
    """The facts about a model in the form they have in JSON, except for its path."""
    from funasr_cli.models.embedded import is_installed
    from funasr_cli.models.origin import read_record
    from funasr_cli.models.store import fault, folder_of, is_present

    folder = folder_of(entry) if is_present(entry) else None
    origin = None
    with suppress(ModelError):  # `verify` reports a damaged record
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
