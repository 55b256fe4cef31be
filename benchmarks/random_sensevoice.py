"""Write a SenseVoiceSmall checkpoint with random weights: in full size, its cost is the real one's, its text is not.

    python benchmarks/random_sensevoice.py FOLDER --tokens tokens.json --cmvn am.mvn [--tiny]

Needs: pip install 'funasr-cli[export]'. tokens.json and am.mvn are those of the published model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from smoke import NANO, CommandLines, is_installed, parser_of, run_benchmark, skip

from tests.support.random_sensevoice import FULL, TINY, write_checkpoint


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokens", type=Path, required=True)
    parser.add_argument("--cmvn", type=Path, required=True)
    parser.add_argument("--tiny", action="store_true")
    arguments = parser.parse_args(command_line)
    write_checkpoint(arguments.folder, arguments.tokens, arguments.cmvn, TINY if arguments.tiny else FULL)


def smoke(folder: Path) -> CommandLines:
    if not (is_installed("torch") and is_installed("funasr")):
        skip("needs pip install 'funasr-cli[export]'")
    from funasr_cli.export.checkpoint import export_checkpoint

    yield folder / "tiny", "--tokens", NANO / "tokens.json", "--cmvn", NANO / "am.mvn", "--tiny"
    export_checkpoint(folder / "tiny", folder / "tiny.onnx")


if __name__ == "__main__":
    run_benchmark(main, smoke)
