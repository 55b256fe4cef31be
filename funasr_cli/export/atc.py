"""Compile a folder made by `export` or `freeze` to an OM with ATC, CANN's compiler."""

from __future__ import annotations

import logging
import math
import re
import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from funasr_cli.callbacks import Tell
from funasr_cli.errors import MachineError, ModelError, OutputError, UsageError
from funasr_cli.executors.ascend.acl import SOURCE_COMMAND
from funasr_cli.executors.ascend.npu_smi import soc_name
from funasr_cli.executors.ascend.toolkit import cann_version, compiler_environment
from funasr_cli.extras import need
from funasr_cli.features.lfr import SECONDS_PER_FRAME
from funasr_cli.files import sha256_of
from funasr_cli.json_paths import path_fields
from funasr_cli.models.model_yaml import MODEL_YAML, read_model_yaml, record_om
from funasr_cli.models.om_files import om_name

logger = logging.getLogger(__name__)

PATH = re.compile(r"[\w./-]+")
"""Paths that ATC accepts."""

SOC = re.compile(r"Ascend[A-Za-z0-9][\w-]*", re.ASCII)

MEANINGS: Sequence[tuple[str, str]] = (
    (
        r"libascend_hal\.so",
        f"No NPU driver is installed, and its stub library was not found: {SOURCE_COMMAND}",
    ),
    (
        r"E19010|EZ9010|No parser is registered",
        "This CANN does not support an operator of the graph, or not in this opset. Make the graph with `funasr-cli "
        "export` or `freeze`, which use opset 16 at most, or install a newer CANN.",
    ),
    (
        r"EZ3002|EZ3003|No supported Ops kernel",
        "The operator package for this SoC is not installed, or lacks an operator of the graph. Install the "
        "operator package in the toolkit's version: Ascend-cann-310p-ops or -910b-ops, before CANN 8.5 "
        "Ascend-cann-kernels-310p or -910b.",
    ),
    (
        r"soc_version",
        "This CANN does not know the SoC, or its operator package is not installed. `npu-smi info` shows the SoC.",
    ),
    (
        r"host_env",
        "This CANN cannot compile for that host CPU: its operator package is not installed.",
    ),
    (
        r"EC0010|ModuleNotFoundError|Failed to import Python module",
        "ATC runs Python, and a Python package is missing: pip3 install attrs cython numpy decorator sympy cffi pyyaml "
        "psutil protobuf scipy requests absl-py",
    ),
)
"""Hints by pattern in the output of a failed ATC: the usual cause, and what to do."""

ONLY_THEN = "That file exists only while funasr-cli convert runs: the command below fails if you run it yourself."


@dataclass(frozen=True, slots=True)
class Conversion:
    """A run of ATC. `gears` are lengths in frames; empty for a graph with fixed dimensions.

    `cut` and `topk` say how `source` is changed first: `cut` removes its TopK, `topk` appends one (0: none).
    """

    folder: Path
    source: Path
    graph: Path
    shape: str
    gears: tuple[int, ...]
    soc: str
    precision: str
    host_cpu: str | None
    target: Path
    cut: bool = False
    topk: int = 0

    @property
    def command(self) -> list[str]:
        """The command line as a list of arguments."""
        gears = [f"--dynamic_dims={';'.join(map(str, self.gears))}"] if self.gears else []
        host = ["--host_env_os=linux", f"--host_env_cpu={self.host_cpu}"] if self.host_cpu else []
        return [
            "atc",
            f"--model={self.graph}",
            "--framework=5",
            f"--output={self.target.with_suffix('')}",
            "--input_format=ND",
            f"--input_shape={self.shape}",
            *gears,
            f"--soc_version={self.soc}",
            *host,
            f"--precision_mode={self.precision}",
            "--log=error",
        ]

    @property
    def text(self) -> str:
        """The command as a user would type it, after comments on the graph it needs."""
        if self.graph == self.source:
            return shlex.join(self.command)
        what = "without its TopK" if self.cut else f"with TopK {self.topk}" if self.topk else "in opset 16 at most"
        made = f"# {self.graph.name}: {self.source.name} {what}"
        return "\n".join([made, f"# {ONLY_THEN}", shlex.join(self.command)])


def plan(
    folder: Path,
    *,
    soc: str,
    precision: str,
    gears: Sequence[float] = (),
    logits: bool = False,
    host_cpu: str | None = None,
) -> Conversion:
    """Plan how to compile the folder's model.

    `gears` are in seconds; `logits` leaves finding the best labels to the CPU. `precision` is one of ATC's modes:
    `allow_mix_precision` lets ATC's operator list decide what runs in float16, `allow_fp32_to_fp16` runs matrix
    products in float16, `force_fp16` everything, `must_keep_origin_dtype` nothing.

    `soc` may be given without `Ascend`, as npu-smi shows it. `host_cpu` is the processor of the target machine, if it
    differs from this one's. Raises `UsageError` for values that ATC rejects, `ModelError` if the folder has nothing to
    compile.
    """
    soc = soc_name(soc)
    if not SOC.fullmatch(soc):
        raise UsageError(f"{soc!r} is not the name of a SoC", hint="`npu-smi info` shows it in the column Name.")
    folder = folder.resolve()
    account = read_model_yaml(folder)
    if account is None or "graphs" not in account:
        raise ModelError(
            f"no {MODEL_YAML} that lists the graphs",
            where=folder,
            hint="Make such a folder with `funasr-cli export` (from a checkpoint) or `freeze` (from a graph).",
        )
    if not PATH.fullmatch(str(folder)):
        raise UsageError(f"ATC does not accept the path {folder}", hint="It accepts letters, digits and . _ - / only.")
    frames = tuple(sorted({math.ceil(round(seconds / SECONDS_PER_FRAME, 6)) for seconds in gears}))
    if len(frames) == 1:
        raise UsageError("--gears needs two or more lengths", hint="Example: --gears 5,10,15. Or omit --gears.")
    try:
        shapes = {name: _input_shape(graph["inputs"]) for name, graph in account["graphs"].items()}
        topk = int(account.get("topk", 0))
        name = next(name for name, shape in shapes.items() if ("-1" in shape) == bool(frames))
        window = max(gears, default=0.0) or float(account["window"])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ModelError("the description of the graphs is invalid", where=folder / MODEL_YAML) from error
    except StopIteration:
        kind = "free" if frames else "fixed"
        raise ModelError(f"lists no graph with {kind} dimensions", where=folder / MODEL_YAML) from None
    variant = [word for word, there in (("logits", logits and topk), ("gears", frames)) if there]
    target = folder / om_name(folder.name, window, soc, *variant)
    cut = logits and bool(topk) and not frames
    return Conversion(
        folder=folder,
        source=folder / name,
        graph=target.with_suffix(".onnx") if cut or frames else folder / name,
        shape=shapes[name],
        gears=frames,
        soc=soc,
        precision=precision,
        host_cpu=host_cpu,
        target=target,
        cut=cut,
        topk=topk if frames and not logits else 0,
    )


def convert(conversion: Conversion, tell: Tell) -> Path:
    """Compile, and record in model.yaml what the OM was made from and by what. Returns the path of the OM.

    Raises `MachineError` if CANN is missing or ATC fails, with ATC's own lines and their usual cause; `OutputError` if
    the folder is not writable.
    """
    environment = compiler_environment()
    try:
        _compile(conversion, environment, tell)
        facts = _facts(conversion, environment)
        record_om(conversion.folder, conversion.target.name, facts)
    except OSError as error:  # one of several files
        raise OutputError(f"cannot be written: {error.strerror}", where=error.filename or conversion.folder) from error
    tell(f"{conversion.target} is ready")
    return conversion.target


def _compile(conversion: Conversion, environment: Mapping[str, str], tell: Tell) -> None:
    try:
        if conversion.graph != conversion.source:
            tell(f"making {conversion.graph.name} from {conversion.source.name}")
            _make_graph(conversion)
        tell(f"compiling for {conversion.soc}; this takes minutes")
        tell(conversion.text.splitlines()[-1])
        _run(conversion.command, conversion.folder, environment)
    finally:
        if conversion.graph != conversion.source:
            conversion.graph.unlink(missing_ok=True)
    target = conversion.target
    suffixed = target.with_name(f"{target.stem}_linux_{conversion.host_cpu}.om")
    if conversion.host_cpu and suffixed.is_file():
        suffixed.replace(target)  # ATC appends the host to the names of some OMs, but not of all


def _facts(conversion: Conversion, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what model.yaml keeps of the OM."""
    return {
        "soc": conversion.soc,
        "precision": conversion.precision,
        **({"gears": list(conversion.gears)} if conversion.gears else {}),
        **({"host_cpu": conversion.host_cpu} if conversion.host_cpu else {}),
        "made_from": {**path_fields("file", conversion.source.name), "sha256": sha256_of(conversion.source)},
        "atc": _atc_version(conversion.target, environment),
        "cann": cann_version(environment) or "unknown",
        "sha256": sha256_of(conversion.target),
    }


def _make_graph(conversion: Conversion) -> None:
    need("freeze", "onnx")
    from funasr_cli.export.variants import write_variant

    write_variant(conversion.source, conversion.graph, cut=conversion.cut, topk=conversion.topk)


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    logger.debug("running %s in %s", shlex.join(command), folder)
    with tempfile.TemporaryDirectory(prefix=".atc-", dir=folder) as litter:  # ATC leaves notes and kernels there
        done = subprocess.run(
            command,
            cwd=litter,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    if done.returncode:
        raise MachineError(f"atc failed ({done.returncode}): {_reason(done.stdout)}", hint=_meaning(done.stdout))


def _reason(output: str) -> str:
    """Return ATC's lines that carry an error code; if there are none, its last lines."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    coded = [line for line in lines if re.match(r"(\[?ERROR\b|E[A-Z]?\d{4,5}\b)|.*(cannot open shared|Error:)", line)]
    return "\n  ".join((coded or lines)[-8:])


def _meaning(output: str) -> str:
    means = [meaning for pattern, meaning in MEANINGS if re.search(pattern, output)]
    return "\n  ".join(means or ["See ATC's log in ~/ascend/log"])


def _atc_version(om: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["atc", "--mode=6", f"--om={om}"], cwd=om.parent, env=environment, capture_output=True, text=True, check=False
    )
    matched = re.search(r"atc_version\[(.*?)\]", done.stdout)
    return matched[1] if matched else "unknown"


def _input_shape(inputs: Mapping[str, str]) -> str:
    """Convert inputs as in model.yaml, `speech: float [1, 250, 560]`, to ATC's form, `speech:1,250,560;…`.

    A free dimension becomes -1; a free batch becomes 1.
    """
    shapes = []
    for name, described in inputs.items():
        sizes = described.partition("[")[2].rstrip("]").split(", ")
        dims = (size if size.isdigit() else "-1" if axis else "1" for axis, size in enumerate(sizes))
        shapes.append(f"{name}:{','.join(dims)}")
    return ";".join(shapes)
