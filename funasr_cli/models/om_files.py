"""OM files in a model's folder: their names, and which of them run on a device."""

from __future__ import annotations

import re
from pathlib import Path

from funasr_cli.errors import ModelError
from funasr_cli.models.model_yaml import OMS, read_model_yaml

NAME = re.compile(r"(?P<model>.+)_(?P<window>[\d.]+)s(?P<variant>(_[a-z]+)*)_(?P<soc>Ascend[\w-]+)\.om")


def om_name(model: str, window: float, soc: str, *variant: str) -> str:
    """File name of an OM, e.g. `nano_15s_Ascend310P3.om`, `nano_15s_logits_Ascend310P3.om`."""
    return f"{'_'.join([model, f'{window:g}s', *variant, soc])}.om"


def choose_om(folder: Path, soc: str) -> Path:
    """The OM in the folder that runs on a SoC; of several, the one with the shortest name, which is not a variant.

    Raises the errors of `fitting_oms`.
    """
    return fitting_oms(folder, soc)[0]


def fitting_oms(folder: Path, soc: str) -> list[Path]:
    """The OMs in the folder that run on a SoC, shortest names first; never empty.

    If no name contains the SoC, OMs from other tools, whose names contain none, are used. Raises `ModelError` that
    lists the OMs in the folder and how to compile one.
    """
    found = sorted((path for path in folder.glob("*.om") if path.is_file()), key=lambda path: (len(path.name), path))
    socs = {path: matched["soc"] if (matched := NAME.fullmatch(path.name)) else None for path in found}
    for wanted in (soc, None):
        if fitting := [path for path in found if socs[path] == wanted]:
            return fitting
    there = f"It has {', '.join(path.name for path in found)}. " if found else ""
    raise ModelError(
        f"has no OM for {soc}", where=folder, hint=f"{there}Compile one: funasr-cli convert {folder} --soc {soc}"
    )


def source_of(om: Path) -> Path | None:
    """The graph that an OM was compiled from, according to model.yaml; None if not listed. Raises `ModelError`."""
    entry = (read_model_yaml(om.parent) or {}).get(OMS, {}).get(om.name)
    return None if entry is None else om.with_name(entry["made_from"]["file"])
