"""From a folder that `export` or `freeze` made to an OM, with CANN's compiler ATC."""

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
"""What ATC takes in paths."""

SOC = re.compile(r"Ascend[A-Za-z0-9][\w-]*", re.ASCII)

MEANINGS: Sequence[tuple[str, str]] = (
    (
        r"libascend_hal\.so",
        f"No driver is here, and its stand-in is not found: {SOURCE_COMMAND}",
    ),
    (
        r"E19010|EZ9010|No parser is registered",
        "This CANN does not know an operator of the graph, or not in this opset: make the graph with `funasr-cli "
        "export` or `freeze`, which keep to opset 16, or take a newer CANN.",
    ),
    (
        r"EZ3002|EZ3003|No supported Ops kernel",
        "The operators for this SoC are not installed, or lack one that the graph needs: install the package of "
        "operators for the SoC in the toolkit's version, e.g. Ascend-cann-310p-ops or -910b-ops, before CANN 8.5 "
        "Ascend-cann-kernels-310p or -910b.",
    ),
    (
        r"soc_version",
        "This CANN does not know the SoC, or its operators are not installed. `npu-smi info` names the SoC.",
    ),
    (
        r"host_env",
        "This CANN cannot compile for that processor: its package of operators is not installed.",
    ),
    (
        r"EC0010|ModuleNotFoundError|Failed to import Python module",
        "ATC runs Python, and a package is missing there: pip3 install attrs cython numpy decorator sympy cffi pyyaml "
        "psutil protobuf scipy requests absl-py",
    ),
)
"""What lines of a failing ATC usually mean."""

ONLY_THEN = "It is there only while funasr-cli convert runs; typed by itself, the line below does not find it."


@dataclass(frozen=True, slots=True)
class Conversion:
    """One run of ATC. `gears` are lengths in frames; empty for a graph whose dimensions are fixed.

    `cut` and `topk` say what is done to `source` before, where it is not compiled as it is: whether its TopK is taken
    off, or one put behind it.
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
        """The command line."""
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
        """The command as it can be typed, and what has to be done before it."""
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
    """How the folder's model is compiled. `gears` are in seconds; `logits`: leave the best labels to the CPU.

    `precision` is one of ATC's modes: `allow_mix_precision` leaves it to its list of operators what is computed in half
    floats, `allow_fp32_to_fp16` has matrix products in them, `force_fp16` all, `must_keep_origin_dtype` nothing.

    `soc` may be named without `Ascend`, as npu-smi does. `host_cpu` is the processor of the machine that will run it,
    where it is another than this one's. Raises `UsageError` for what ATC does not take, `ModelError` where the folder
    holds nothing that can be compiled.
    """
    soc = soc_name(soc)
    if not SOC.fullmatch(soc):
        raise UsageError(f"no SoC is called {soc!r}", hint="`npu-smi info` names it, in the column Name.")
    folder = folder.resolve()
    account = read_model_yaml(folder)
    if account is None or "graphs" not in account:
        raise ModelError(
            f"has no {MODEL_YAML} that lists its graphs",
            where=folder,
            hint="Make a folder that has: funasr-cli export, from a checkpoint; funasr-cli freeze, from a graph.",
        )
    if not PATH.fullmatch(str(folder)):
        raise UsageError(f"atc takes no path like {folder}", hint="Letters, digits, and . _ - / are what it takes.")
    frames = tuple(sorted({math.ceil(round(seconds / SECONDS_PER_FRAME, 6)) for seconds in gears}))
    if len(frames) == 1:
        raise UsageError("one gear is none", hint="Name two or more, e.g. --gears 5,10,15, or leave them away.")
    try:
        shapes = {name: _input_shape(graph["inputs"]) for name, graph in account["graphs"].items()}
        topk = int(account.get("topk", 0))
        name = next(name for name, shape in shapes.items() if ("-1" in shape) == bool(frames))
        window = max(gears, default=0.0) or float(account["window"])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ModelError("does not describe its graphs", where=folder / MODEL_YAML) from error
    except StopIteration:
        kind = "free" if frames else "fixed"
        raise ModelError(f"lists no graph of {kind} dimensions", where=folder / MODEL_YAML) from None
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
    """Compile, and write into model.yaml what was made of what, and by what; the OM.

    Raises `MachineError` where there is no CANN, or ATC fails: with its own lines, and what they usually mean;
    `OutputError` where the folder cannot be written.
    """
    environment = compiler_environment()
    try:
        _compile(conversion, environment, tell)
        facts = _facts(conversion, environment)
        record_om(conversion.folder, conversion.target.name, facts)
    except OSError as error:  # of one of several files
        raise OutputError(f"cannot be written: {error.strerror}", where=error.filename or conversion.folder) from error
    tell(f"{conversion.target} is ready")
    return conversion.target


def _compile(conversion: Conversion, environment: Mapping[str, str], tell: Tell) -> None:
    try:
        if conversion.graph != conversion.source:
            tell(f"making {conversion.graph.name} from {conversion.source.name}")
            _make_graph(conversion)
        tell(f"compiling for {conversion.soc}, which takes minutes")
        tell(conversion.text.splitlines()[-1])
        _run(conversion.command, conversion.folder, environment)
    finally:
        if conversion.graph != conversion.source:
            conversion.graph.unlink(missing_ok=True)
    target = conversion.target
    suffixed = target.with_name(f"{target.stem}_linux_{conversion.host_cpu}.om")
    if conversion.host_cpu and suffixed.is_file():
        suffixed.replace(target)  # ATC adds what the OM is for, to some and not to others


def _facts(conversion: Conversion, environment: Mapping[str, str]) -> dict[str, Any]:
    """What model.yaml keeps of the OM."""
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
    with tempfile.TemporaryDirectory(prefix=".atc-", dir=folder) as litter:  # it leaves notes and kernels where it runs
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
    """ATC's lines that carry an error code, or its last ones."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    coded = [line for line in lines if re.match(r"(\[?ERROR\b|E[A-Z]?\d{4,5}\b)|.*(cannot open shared|Error:)", line)]
    return "\n  ".join((coded or lines)[-8:])


def _meaning(output: str) -> str:
    means = [meaning for pattern, meaning in MEANINGS if re.search(pattern, output)]
    return "\n  ".join(means or ["All that it did is in the log: ~/ascend/log"])


def _atc_version(om: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["atc", "--mode=6", f"--om={om}"], cwd=om.parent, env=environment, capture_output=True, text=True, check=False
    )
    matched = re.search(r"atc_version\[(.*?)\]", done.stdout)
    return matched[1] if matched else "unknown"


def _input_shape(inputs: Mapping[str, str]) -> str:
    """The inputs as model.yaml has them, `speech: float [1, 250, 560]`, as ATC takes them: `speech:1,250,560;…`.

    What is free is -1, but for the batch, which is 1.
    """
    shapes = []
    for name, described in inputs.items():
        sizes = described.partition("[")[2].rstrip("]").split(", ")
        dims = (size if size.isdigit() else "-1" if axis else "1" for axis, size in enumerate(sizes))
        shapes.append(f"{name}:{','.join(dims)}")
    return ";".join(shapes)
