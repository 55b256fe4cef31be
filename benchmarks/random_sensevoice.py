"""Write a SenseVoiceSmall checkpoint with random weights: in full size it costs as much as the real one.

    python benchmarks/random_sensevoice.py FOLDER --tokens tokens.json --cmvn am.mvn [--tiny] [--published FOLDER]

Its text is meaningless. --published also writes the 8-bit graph in the form that FunASR publishes, and the files that
sherpa-onnx needs with it. Needs: pip install 'funasr-cli[export]'. tokens.json and am.mvn are those of the published
model.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from smoke import NANO, CommandLines, is_installed, parser_of, run_benchmark, skip

from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import find_model
from funasr_cli.pipeline.registry import load_executor
from tests.support.random_sensevoice import FULL, TINY, write_checkpoint


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokens", type=Path, required=True)
    parser.add_argument("--cmvn", type=Path, required=True)
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--published", type=Path)
    arguments = parser.parse_args(command_line)
    write_checkpoint(arguments.folder, arguments.tokens, arguments.cmvn, TINY if arguments.tiny else FULL)
    if arguments.published:
        publish(arguments.folder, arguments.published)


def publish(checkpoint: Path, folder: Path) -> None:
    """Quantise the graph like FunASR, including masks; `funasr-cli export --int8` writes another form."""
    import onnx

    from funasr_cli.export.checkpoint import export_checkpoint
    from funasr_cli.export.folder import sherpa_metadata
    from funasr_cli.export.quantize import quantize
    from funasr_cli.features.cmvn import find_cmvn
    from funasr_cli.recognizers.vocabulary import read_vocabulary

    folder.mkdir(parents=True)
    for name in ("tokens.json", "am.mvn", "config.yaml"):
        shutil.copyfile(checkpoint / name, folder / name)
    pieces = read_vocabulary(folder)
    (folder / "tokens.txt").write_text("".join(f"{piece} {i}\n" for i, piece in enumerate(pieces)), encoding="utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        traced = Path(scratch) / "traced.onnx"
        export_checkpoint(checkpoint, traced)
        model = onnx.load(traced)
        onnx.helper.set_model_props(model, sherpa_metadata(find_cmvn(folder, {}), len(pieces)))
        onnx.save(model, traced)
        quantize(traced, folder / "model_quant.onnx")


def smoke(folder: Path) -> CommandLines:
    if not (is_installed("torch") and is_installed("funasr")):
        skip("needs pip install 'funasr-cli[export]'")
    published = folder / "published"
    yield (
        folder / "tiny",
        "--tokens",
        NANO / "tokens.json",
        "--cmvn",
        NANO / "am.mvn",
        "--tiny",
        "--published",
        published,
    )
    executor, _ = load_executor(find_model(str(published)), Placement(1), print)
    assert executor.device.startswith("cpu (int8")


if __name__ == "__main__":
    run_benchmark(main, smoke)
