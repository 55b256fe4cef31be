"""Fix the dimensions of a graph, fold what is then constant, and end it in the best K labels."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto, helper, shape_inference

from funasr_cli.errors import ModelError
from funasr_cli.export.fold import fold
from funasr_cli.recognizers.sensevoice.graph import FUNASR, LOGITS, SHERPA_ONNX, TAG_FRAMES, TOPK

RENAMED = {SHERPA_ONNX[role]: name for role, name in FUNASR.items()} | {LOGITS[1]: LOGITS[0]}
"""FunASR's name for each of sherpa-onnx's."""


def freeze(model: ModelProto, frames: int, scratch: Path) -> ModelProto:
    """Return a copy of `model` for batch 1 and `frames` frames, with every dimension a number.

    The folder `scratch` temporarily needs twice the model's size.

    Raises `ModelError` with the names of tensors whose shape still depends on the input.
    """
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for tensor in fixed.graph.input:
        sizes = [1, frames] if len(tensor.type.tensor_type.shape.dim) > 1 else [1]
        for size, dimension in zip(sizes, tensor.type.tensor_type.shape.dim, strict=False):
            dimension.dim_value = size
    _forget_shapes(fixed)
    folded = fold(fixed, scratch)
    _forget_shapes(folded)
    inferred = shape_inference.infer_shapes(folded, strict_mode=True, data_prop=True)
    free = [value.name for value in [*inferred.graph.value_info, *inferred.graph.output] if not _is_fixed(value)]
    known = {value.name for value in [*inferred.graph.value_info, *inferred.graph.output]}
    free += [name for node in inferred.graph.node for name in node.output if name and name not in known]
    if free:
        raise ModelError(f"the shapes of {len(free)} tensors depend on the input: {', '.join(free[:3])}")
    return inferred


def append_topk(model: ModelProto, count: int) -> None:
    """Replace the logits by LogSoftmax and TopK: `log_probs` float32 and `token_ids` int32, `[1, frames, K]`.

    Batch and frames may be free.
    """
    logits = next(output for output in model.graph.output if output.name == "ctc_logits")
    dimensions = logits.type.tensor_type.shape.dim
    batch, frames, vocabulary = (size.dim_value or size.dim_param or None for size in dimensions)
    if isinstance(vocabulary, int) and count > vocabulary:
        raise ModelError(f"the vocabulary has {vocabulary} tokens, fewer than --topk {count}")
    k = helper.make_tensor("topk/k", TensorProto.INT64, [1], [count])
    model.graph.initializer.append(k)
    model.graph.node.extend(
        [
            helper.make_node("LogSoftmax", [logits.name], ["topk/all"], name="topk/LogSoftmax", axis=-1),
            helper.make_node(
                "TopK", ["topk/all", k.name], ["log_probs", "topk/ids"], name="topk/TopK", axis=-1, largest=1, sorted=1
            ),
            # TopK gives int64: twice the bytes to copy from a device, and some NPUs lack int64.
            helper.make_node("Cast", ["topk/ids"], ["token_ids"], name="topk/Cast", to=TensorProto.INT32),
        ]
    )
    kept = [output for output in model.graph.output if output.name != logits.name]
    shape = [batch, frames, count]
    made = [
        helper.make_tensor_value_info("log_probs", TensorProto.FLOAT, shape),
        helper.make_tensor_value_info("token_ids", TensorProto.INT32, shape),
    ]
    inner = [
        helper.make_tensor_value_info(logits.name, TensorProto.FLOAT, [batch, frames, vocabulary]),
        helper.make_tensor_value_info("topk/all", TensorProto.FLOAT, [batch, frames, vocabulary]),
        helper.make_tensor_value_info("topk/ids", TensorProto.INT64, shape),
    ]
    del model.graph.output[:]
    model.graph.output.extend([*made, *kept])
    model.graph.value_info.extend(inner)


def cut_topk(model: ModelProto) -> None:
    """Remove what `append_topk` added: the graph ends in logits again."""
    logits = next((info for info in model.graph.value_info if info.name == "ctc_logits"), None)
    if logits is None:
        raise ModelError("the graph does not end in a TopK that funasr-cli added")
    nodes = [node for node in model.graph.node if not node.name.startswith("topk/")]
    inner = [info for info in model.graph.value_info if info != logits and not info.name.startswith("topk/")]
    constants = [tensor for tensor in model.graph.initializer if tensor.name != "topk/k"]
    kept = [output for output in model.graph.output if output.name not in TOPK]
    for field, values in (("node", nodes), ("value_info", inner), ("initializer", constants)):
        model.graph.ClearField(field)
        getattr(model.graph, field).extend(values)
    del model.graph.output[:]
    model.graph.output.extend([logits, *kept])


def speak_funasr(model: ModelProto) -> None:
    """Give the tensors FunASR's names instead of sherpa-onnx's, and add an output with the number of valid frames.

    Raises `ModelError` if this is not a SenseVoice graph with free dimensions, or if it is an 8-bit graph.
    """
    taken, given = ([tensor.name for tensor in edge] for edge in (model.graph.input, model.graph.output))
    renamed = {old: new for old, new in RENAMED.items() if old in (*taken, *given)}
    known = {renamed.get(name, name) for name in taken} == set(FUNASR.values())
    if known and any(size.HasField("dim_value") for size in model.graph.input[0].type.tensor_type.shape.dim[:2]):
        raise ModelError("the dimensions are already fixed", hint="Freeze the original graph.")
    if not known or "ctc_logits" not in (*given, *renamed.values()):
        raise ModelError(f"not a SenseVoice graph: inputs {', '.join(taken)}; outputs {', '.join(given)}")
    if any(node.op_type == "DynamicQuantizeLinear" for node in model.graph.node):
        # Activations are scaled by their range over the whole window, so padding would change every result.
        raise ModelError("an 8-bit graph cannot be padded to a fixed window", hint="Freeze the float32 graph.")
    for tensor in [*model.graph.input, *model.graph.output]:
        tensor.name = renamed.get(tensor.name, tensor.name)
    for node in model.graph.node:
        for edges in (node.input, node.output):
            for index, name in enumerate(edges):
                edges[index] = renamed.get(name, name)
    if all(output.name != "encoder_out_lens" for output in model.graph.output):
        tags = helper.make_tensor("valid/tags", TensorProto.INT32, [1], [TAG_FRAMES])
        model.graph.initializer.append(tags)
        model.graph.node.append(
            helper.make_node("Add", ["speech_lengths", tags.name], ["encoder_out_lens"], name="valid/Add")
        )
        batch = next(tensor for tensor in model.graph.input if tensor.name == "speech_lengths").type
        model.graph.output.append(helper.make_value_info("encoder_out_lens", batch))


def _forget_shapes(model: ModelProto) -> None:
    """Drop shapes inside the graph and at its outputs, which belong to free dimensions; they will be inferred again."""
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")


def _is_fixed(value: ValueInfoProto) -> bool:
    shape = value.type.tensor_type.shape
    return value.type.tensor_type.HasField("shape") and all(d.HasField("dim_value") for d in shape.dim)
