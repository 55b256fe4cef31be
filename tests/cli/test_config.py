"""Settings from the command line, the environment, a file, or the default, in this order; mistakes are found."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.support.command import Run


def settings(text: str) -> dict[str, tuple[str, str]]:
    rows = (line.split(None, 2) for line in text.splitlines())
    return {name: (value, source) for name, value, source in rows}


def test_show_tells_each_value_and_its_source(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c.yaml").write_text("language: zh\nvad-threshold: 0.6\nformats: [srt, vtt]\ninclude: ['a*', b]\n")
    monkeypatch.setenv("FUNASR_CLI_VAD_THRESHOLD", "0.7")
    monkeypatch.setenv("FUNASR_CLI_OVERLAP", "3")
    done = run("config", "show", "--config", "c.yaml", "--overlap", "1")
    assert done.returncode == 0, done.stderr
    shown = settings(done.stdout)
    assert shown["language"] == ("zh", "configuration file c.yaml")
    assert shown["formats"] == ("srt,vtt", "configuration file c.yaml")
    assert shown["include"] == ("a*,b", "configuration file c.yaml")
    assert shown["vad_threshold"] == ("0.7", "environment")
    assert shown["overlap"] == ("1.0", "command line")
    assert shown["device"] == ("auto", "default")


def test_the_file_itself_can_be_named_in_the_environment(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c.yaml").write_text("force: true\n")
    monkeypatch.setenv("FUNASR_CLI_CONFIG", "c.yaml")
    assert settings(run("config", "show").stdout)["force"] == ("true", "configuration file c.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("language: zh\nlangauge: en\n", "c.yaml:2: unknown setting 'langauge'\n  Did you mean language?"),
        ("# a comment\n\nvad_threshold: high\n", "c.yaml:3: vad_threshold: expected a number, got 'high'"),
        ("vad_threshold: 7\n", "c.yaml:1: vad_threshold: 7.0 is not in the range"),
        ("force: 1\n", "c.yaml:1: force: expected true or false, got 1"),
        ("language: no\n", "c.yaml:1: language: expected text, not true or false, got False"),
        ("language: no\n", 'Put it in quotes: language: "no"'),
        ("vad: off\n", 'Put it in quotes: vad: "off"'),
        ("vad: yes\n", "'yes' is not one of 'silero', 'off'"),
        ("numa: off\n", 'Put it in quotes: numa: "off"'),
        ("numa: 0\n", 'Put it in quotes: numa: "0"'),
        ("deadline: 16:30\n", 'YAML does not read 16:30 as text. Put it in quotes: deadline: "16:30"'),
        ("model: 2026-01-01\n", 'Put it in quotes: model: "2026-01-01"'),
        ("include: [a, 1]\n", 'Put it in quotes: include: "1"'),
        ("min_age: off\n", "c.yaml:1: min_age: expected a number, not true or false, got False\n"),
        ("force: 'yes'\n", "c.yaml:1: force: expected true or false, got 'yes'\n"),
        ("output: ''\n", "c.yaml:1: output: has no value"),
        ("language: 5\n", "c.yaml:1: language: expected text (put it in quotes), got 5"),
        ("language: [zh, en]\n", "c.yaml:1: language: expected one value, got a list"),
        ("device: gpu\n", "c.yaml:1: device: 'gpu' is not one of auto, cpu, npu"),
        ("wait: true\nwait: false\n", "c.yaml:2: duplicate setting 'wait'"),
        ("output:\n", "c.yaml:1: output: has no value"),
        ("ext: []\n", "c.yaml:1: ext: has no value"),
        ("min_age: .nan\n", "c.yaml:1: min_age: nan is not a finite number"),
        ("# a line\noverlap: .inf\n", "c.yaml:2: overlap: inf is not a finite number"),
        ("window_timeout: -.inf\n", "c.yaml:1: window_timeout: -inf is not a finite number"),
        ("vad_padding: 1e999\n", "c.yaml:1: vad_padding: expected a number, got '1e999'"),
        ("vad_min_speech: -1\n", "c.yaml:1: vad_min_speech: -1.0 is not in the range"),
        ("max_files: .nan\n", "c.yaml:1: max_files: expected a whole number, got nan"),
        ("max_files: 2.5\n", "c.yaml:1: max_files: expected a whole number, got 2.5"),
        ("model: !strange x\n", "c.yaml:1: model: not a plain value"),
        ("min_age: 2024-02-30\n", "c.yaml:1: min_age: not a plain value"),
        ("- language\n", "c.yaml: has no `option: value` lines"),
        ("language: [zh\n", "c.yaml: is not valid YAML"),
        (None, "c.yaml: cannot be read: No such file or directory"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_line(run: Run, tmp_path: Path, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "c.yaml").write_text(content)
    done = run("transcribe", "x.wav", "--config", "c.yaml")
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_file_changes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("# nothing yet\n")
    assert run("config", "show", "--config", "c.yaml").stdout == run("config", "show").stdout


@pytest.mark.parametrize(
    ("variable", "meant"),
    [("LANGAUGE", "LANGUAGE"), ("MODLES", "MODELS"), ("FORMAT", "FORMATS"), ("HOTWORD", "HOTWORDS")],
)
def test_a_variable_that_is_no_setting_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, meant: str
) -> None:
    monkeypatch.setenv(f"FUNASR_CLI_{variable}", "zh")
    done = run("transcribe", "x.wav")
    assert done.returncode == 2
    assert f"FUNASR_CLI_{variable} is not a setting\n  Did you mean FUNASR_CLI_{meant}?" in done.stderr


def test_lists_in_variables_are_as_in_path_or_as_on_the_command_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = {"INCLUDE": "a b*:c", "EXCLUDE": "d:e", "HOTWORDS": "my words:g", "FORMATS": "txt,srt", "EXT": ".wav,mp3,"}
    for name, value in lists.items():
        monkeypatch.setenv(f"FUNASR_CLI_{name}", value)
    rows = dict(line.split(None, 1) for line in run("config", "show").stdout.splitlines())
    found = [rows[name].partition("  ")[0] for name in map(str.lower, lists)]
    assert found == ["a b*,c", "d,e", "my words,g", "txt,srt", "wav,mp3"]


def test_hotwords_of_a_file_lie_where_the_file_says(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/c.yaml").write_text("hotwords: [gov.txt, ../names.txt, ~/mine.txt, /all.txt]\nmodel: nano\n")
    shown = settings(run("config", "show", "--config", "etc/c.yaml").stdout)
    assert shown["hotwords"][0] == "etc/gov.txt,etc/../names.txt,/home/me/mine.txt,/all.txt"
    assert shown["model"][0] == "nano"
    assert settings(run("config", "show", "--hotwords", "gov.txt").stdout)["hotwords"][0] == "gov.txt"


def test_hotwords_are_a_list_that_ships_if_no_file_has_its_name(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hotwords(*options: str) -> str:
        return settings(run("config", "show", *options).stdout)["hotwords"][0]

    gov, tech = (run("hotwords", "path", name).stdout.strip() for name in ("gov", "tech"))
    monkeypatch.setenv("FUNASR_CLI_HOTWORDS", "gov:names.txt:tech")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/c.yaml").write_text("hotwords: [gov, names.txt, ./tech]\n")
    (tmp_path / "one.yaml").write_text("hotwords: gov\n")
    (tmp_path / "dot.yaml").write_text("hotwords: ./gov\n")
    assert hotwords("--hotwords", "gov", "--hotwords", "gov.txt") == f"{gov},gov.txt"
    assert hotwords() == f"{gov},names.txt,{tech}"
    monkeypatch.delenv("FUNASR_CLI_HOTWORDS")
    assert hotwords("--config", "etc/c.yaml") == f"{gov},etc/names.txt,etc/tech"
    assert hotwords("--config", "one.yaml") == gov
    assert hotwords("--config", "dot.yaml") == "gov"

    (tmp_path / "gov").mkdir()
    assert hotwords("--hotwords", "gov") == gov
    (tmp_path / "gov").rmdir()
    (tmp_path / "gov").write_text("一带一路\n", encoding="utf-8")
    assert hotwords("--hotwords", "gov") == "gov"
    assert hotwords("--config", "one.yaml") == "gov"
    assert hotwords("--config", "etc/c.yaml").startswith(f"{gov},")  # a file here is not next to the configuration
    (tmp_path / "gov").rename(tmp_path / "etc/gov")
    assert hotwords("--config", "etc/c.yaml").startswith("etc/gov,")


def test_init_writes_the_commented_file(run: Run, tmp_path: Path) -> None:
    done = run("config", "init")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "written: funasr-cli.yaml; use it with --config or FUNASR_CLI_CONFIG\n"
    written = tmp_path / "funasr-cli.yaml"
    assert written.read_bytes() == (ROOT / "configs/default.yaml").read_bytes()
    written.write_text("language: zh\n")
    again = run("config", "init")
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == "error: funasr-cli.yaml: already exists\n  Choose another name, or - to print it.\n"
    assert written.read_text() == "language: zh\n"
    nowhere = run("config", "init", "no/c.yaml")
    assert (nowhere.returncode, nowhere.stderr) == (
        1,
        "error: no/c.yaml: cannot be written: No such file or directory\n",
    )


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_init_has_every_file_that_comes_along(run: Run, tmp_path: Path, path: Path) -> None:
    content = path.read_text(encoding="utf-8")
    assert run("config", "init", "-", "--template", path.stem).stdout == content
    assert run("config", "init", "mine.yaml", "--template", path.stem).returncode == 0
    assert (tmp_path / "mine.yaml").read_text(encoding="utf-8") == content


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_the_files_that_come_along_are_good(run: Run, path: Path) -> None:
    assert run("config", "show", "--config", path).returncode == 0


def test_default_yaml_says_what_holds_without_it(run: Run, tmp_path: Path) -> None:
    path = ROOT / "configs" / "default.yaml"
    with_file, without = (
        {name: value for name, (value, _) in settings(run("config", "show", *more).stdout).items()}
        for more in (("--config", path), ())
    )
    assert with_file == without
    text = path.read_text(encoding="utf-8")
    assert [name for name in without if f"\n{name}: " not in text and f"\n# {name}: " not in text] == []
    (tmp_path / "all.yaml").write_text(text.partition("by commas.\n")[2].replace("\n# ", "\n"), encoding="utf-8")
    assert run("config", "show", "--config", "all.yaml").returncode == 0
    assert set(yaml.safe_load(path.read_text(encoding="utf-8"))) == {
        name for name, value in without.items() if value != "-"
    }
