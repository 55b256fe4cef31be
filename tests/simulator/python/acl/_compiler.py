"""The program `atc`: check every argument, reject unknown operators, and write the OM."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from acl._om import Om, Tensor, read_om, write_om

VERSION = "7.6.0.1.220"

SOCS = {
    "Ascend310", "Ascend310B1", "Ascend310B4", "Ascend310P1", "Ascend310P3", "Ascend910A", "Ascend910B", "Ascend910B1",
    "Ascend910B2", "Ascend910B3", "Ascend910B4", "Ascend910B4-1", "Ascend910_9391", "Ascend910_9392",
}  # fmt: skip
PRECISIONS = {
    "force_fp16", "force_fp32", "cube_fp16in_fp32out", "allow_fp32_to_fp16", "must_keep_origin_dtype",
    "allow_mix_precision", "allow_mix_precision_fp16", "allow_mix_precision_bf16",
}  # fmt: skip
OUTPUT_TYPES = {"FP32": "float32", "FP16": "float16"}

NEWEST_OPSET = 16
UNKNOWN_OPERATORS = {"LayerNormalization", "GroupNormalization", "Gelu"}


class Refused(Exception):
    """An error as atc prints it, with its code."""


def one_of(*allowed: str) -> Callable[[str, str], None]:
    def check(name: str, value: str) -> None:
        if value not in allowed:
            raise Refused(
                f"E10001: Value [{value}] for parameter [--{name}] is invalid. Reason: not in {sorted(allowed)}"
            )

    return check


def anything(name: str, value: str) -> None:
    if not value:
        raise Refused(f"E10054: The required parameter [--{name}] for ATC is empty.")


def graph_path(name: str, value: str) -> None:
    if not value.endswith(".onnx") or not Path(value).is_file():
        raise Refused(f"E10410: File [{value}] in parameter [--{name}] does not exist or cannot be read.")


def output_path(name: str, value: str) -> None:
    if value.endswith(".om") or not Path(value).parent.is_dir() or not re.fullmatch(r"[\w./-]+", value):
        raise Refused(f"E10001: Value [{value}] for parameter [--{name}] is invalid. Reason: not a path and a name")


CHECKS: Mapping[str, Callable[[str, str], None]] = {
    "model": graph_path,
    "framework": one_of("5"),
    "output": output_path,
    "input_format": one_of("ND"),
    "input_shape": anything,
    "dynamic_dims": anything,
    "soc_version": one_of(*SOCS),
    "host_env_os": one_of("linux"),
    "host_env_cpu": one_of("aarch64", "x86_64"),
    "precision_mode": one_of(*PRECISIONS),
    "input_fp16_nodes": anything,
    "output_type": one_of(*OUTPUT_TYPES),
    "log": one_of("debug", "info", "warning", "error", "null"),
    "mode": one_of("0", "6"),
    "om": anything,
}
REQUIRED = ("model", "framework", "output", "soc_version")


def main(arguments: list[str]) -> int:
    """Run the command line; return 0 if it made a model."""
    print("ATC start working now, please wait for a moment.")
    try:
        options = parse(arguments)
        if options.get("mode") == "6":
            show(Path(options["om"]))
        else:
            compile_graph(options, arguments)
    except Refused as refused:
        print("ATC run failed, Please check the detail log, Try 'atc --help' for more information")
        print(f"{refused}\n        TraceBack (most recent call last):\n        build graph failed")
        return 255
    print("ATC run success, welcome to the next use.")
    return 0


def parse(arguments: list[str]) -> dict[str, str]:
    """Parse the options, and check each alone and against the others."""
    options: dict[str, str] = {}
    for argument in arguments:
        matched = re.fullmatch(r"--(\w+)=(.*)", argument, re.DOTALL)
        if matched is None or matched[1] not in CHECKS:
            raise Refused(f"ERROR: unknown command line flag '{argument}'")
        name, value = matched.groups()
        if name in options:
            raise Refused(f"E10001: Value [{value}] for parameter [--{name}] is invalid. Reason: given twice")
        CHECKS[name](name, value)
        options[name] = value
    for name in ("om",) if options.get("mode") == "6" else REQUIRED:
        if name not in options:
            raise Refused(f"E10054: The required parameter [--{name}] for ATC is empty.")
    if ("host_env_os" in options) != ("host_env_cpu" in options):
        raise Refused("E10001: --host_env_os and --host_env_cpu are used together")
    if "dynamic_dims" in options and options.get("input_format") != "ND":
        raise Refused("E10045: --dynamic_dims is used with --input_format=ND")
    return options


def show(path: Path) -> None:
    """Print what `--mode=6` prints of a model."""
    om, graph = read_om(path)
    print("============ Display Model Info start ============")
    print(f"Original Atc command line: atc {' '.join(om.command)}")
    print(f"system   info: atc_version[{VERSION}], soc_version[{om.soc}], framework_type[Onnx].")
    print(f"resource info: memory_size[{len(graph)} B], weight_size[{len(graph)} B], stream_num[1], event_num[0].")
    print("============ Display Model Info end   ============")


def compile_graph(options: dict[str, str], command: list[str]) -> None:
    """Check the graph, determine the shapes, and write the OM."""
    model = onnx.load(options["model"])
    for node in model.graph.node:
        if node.op_type in UNKNOWN_OPERATORS or node.domain not in ("", "ai.onnx"):
            opset = next(entry.version for entry in model.opset_import if entry.domain == node.domain)
            raise Refused(
                f"E19010: No parser is registered for Op [{node.name}, optype [ai.onnx::{opset}::{node.op_type}]]."
            )
    shapes = input_shapes(options.get("input_shape", ""), model)
    gears = gears_of(options.get("dynamic_dims"), shapes)
    kind = "gears" if gears else "dynamic" if any(-1 in dims for dims in shapes.values()) else "static"
    tried = gears or [filled(shapes, size) for size in ((24, 48) if kind == "dynamic" else (0,))]
    results = [try_run(model, sizes) for sizes in tried]
    half = {"float32": "float16"}
    inputs = []
    for value in model.graph.input:
        dtype = dtype_of(value)
        taken = half.get(dtype, dtype) if value.name in options.get("input_fp16_nodes", "").split(";") else dtype
        inputs.append(Tensor(value.name, taken, dtype, shapes[value.name], [[*sizes[value.name]] for sizes in tried]))
    outputs = []
    for index, value in enumerate(model.graph.output):
        arrays = [result[index] for result in results]
        dtype, kinds = arrays[0].dtype.name, [list(array.shape) for array in arrays]
        given = OUTPUT_TYPES.get(options.get("output_type", ""), dtype) if dtype == "float32" else dtype
        dims = [sizes[0] if len(set(sizes)) == 1 else -1 for sizes in zip(*kinds, strict=True)]
        outputs.append(Tensor(om_name(model, value.name), given, dtype, dims, kinds))
    suffix = f"_{options['host_env_os']}_{options['host_env_cpu']}" if "host_env_os" in options else ""
    write_om(
        Path(f"{options['output']}{suffix}.om"),
        Om(options["soc_version"], kind, inputs, outputs, command),
        model.SerializeToString(),
    )


def input_shapes(text: str, model: onnx.ModelProto) -> dict[str, list[int]]:
    """Return the dims of each input, from --input_shape or from a graph with fixed dims."""
    given: dict[str, list[int]] = {}
    for part in filter(None, text.split(";")):
        matched = re.fullmatch(r"([\w./]+):(-?\d+(?:,-?\d+)*)", part)
        if matched is None or matched[1] in given:
            raise Refused(f"E10002: Value [{text}] for parameter [--input_shape] is invalid. Reason: [{part}]")
        given[matched[1]] = [int(size) for size in matched[2].split(",")]
    shapes = {}
    for value in model.graph.input:
        own = [size.dim_value or -1 for size in value.type.tensor_type.shape.dim]
        dims = given.pop(value.name, own)
        if len(dims) != len(own) or any(size == 0 or size < -1 for size in dims):
            raise Refused(f"E10003: The shape {dims} of input [{value.name}] does not fit its rank {len(own)}")
        if any(-1 != fixed != size for fixed, size in zip(own, dims, strict=True)):
            raise Refused(f"E11018: The shape {dims} of input [{value.name}] differs from {own} in the model")
        if value.name not in text and -1 in own:
            raise Refused(f"E10001: the shape of input [{value.name}] is not known; set --input_shape")
        shapes[value.name] = dims
    if given:
        raise Refused(f"E10016: Opname [{next(iter(given))}] specified in [--input_shape] is not found in the model")
    return shapes


def gears_of(text: str | None, shapes: dict[str, list[int]]) -> list[dict[str, list[int]]]:
    """Return the shapes at each gear of --dynamic_dims."""
    if text is None:
        return []
    free = sum(dims.count(-1) for dims in shapes.values())
    gears = []
    for row in text.split(";"):
        if not free or not re.fullmatch(r"\d+(,\d+)*", row) or row.count(",") + 1 != free:
            raise Refused(f"E10042: each gear of --dynamic_dims [{text}] must have {free} dims, one for each -1")
        sizes = iter(int(size) for size in row.split(","))
        gears.append({name: [next(sizes) if d == -1 else d for d in dims] for name, dims in shapes.items()})
    if not 2 <= len(gears) <= 100:
        raise Refused("E10036: --dynamic_dims takes 2 to 100 gears")
    return gears


def filled(shapes: dict[str, list[int]], size: int) -> dict[str, list[int]]:
    return {name: [size if d == -1 else d for d in dims] for name, dims in shapes.items()}


def try_run(model: onnx.ModelProto, sizes: dict[str, list[int]]) -> list[np.ndarray]:
    """Return the outputs for inputs of ones in these sizes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    dtypes = {value.name: dtype_of(value) for value in model.graph.input}
    feeds = {name: np.ones(shape, dtypes[name]) for name, shape in sizes.items()}
    if math.prod(math.prod(shape) for shape in sizes.values()) == 0:
        raise Refused("E10001: a dim of 0 in --input_shape")
    return [np.asarray(result) for result in session.run(None, feeds)]


def dtype_of(value: onnx.ValueInfoProto) -> str:
    return str(helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type or TensorProto.FLOAT).name)


def om_name(model: onnx.ModelProto, tensor: str) -> str:
    """Return the name of an output in the OM: operator, its edge, and the tensor's name in the graph."""
    node = next(node for node in model.graph.node if tensor in node.output)
    return f"{node.name}:{list(node.output).index(tensor)}:{tensor}"
