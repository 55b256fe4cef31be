"""scripts/ascend_env.sh finds CANN in the layouts of all versions, and reports what it found."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from funasr_cli.executors.ascend.acl import ENVIRONMENT_SCRIPT
from tests.conftest import ROOT
from tests.simulator.cann_tree import write_cann, write_driver

SCRIPT = ROOT / "scripts" / "ascend_env.sh"
SHOWN = ("ASCEND_TOOLKIT_HOME", "LD_LIBRARY_PATH", "PYTHONPATH", "ASCEND_GLOBAL_LOG_LEVEL", "atc")

Source = Callable[..., tuple[int, dict[str, str], str]]


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """An empty machine: a root folder, and a home in it."""
    (tmp_path / "home").mkdir()
    (tmp_path / "etc").mkdir()
    return tmp_path


@pytest.fixture
def source(disk: Path) -> Source:
    """Sources the script on that machine; returns its status, the variables after it, and its messages."""

    def run(*arguments: str | Path, options: str = "", **variables: str | Path) -> tuple[int, dict[str, str], str]:
        shown = "; ".join(f'echo "{name}=${{{name}:-}}"' for name in SHOWN[:-1])
        text = (
            f'{options}\n. "$0" {" ".join(map(str, arguments))}; s=$?; {shown}; echo "atc=$(command -v atc)"; exit $s'
        )
        environment = {"HOME": str(disk / "home"), "ASCEND_SEARCH_ROOT": str(disk), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            ["bash", "-c", text, str(SCRIPT)],
            env={**environment, **{name: str(value) for name, value in variables.items()}},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, dict(line.split("=", 1) for line in done.stdout.splitlines()), done.stderr

    return run


@pytest.mark.parametrize(
    ("layout", "version"), [("ascend-toolkit", "7.0.0"), ("ascend-toolkit", "8.0.0"), ("cann-8.5.0", "8.5.0")]
)
@pytest.mark.parametrize("root", ["usr/local/Ascend", "home/Ascend"])
def test_it_finds_cann_where_its_installers_put_it(
    disk: Path, source: Source, root: str, layout: str, version: str
) -> None:
    home = write_cann(disk / root, layout, version)
    status, variables, said = source()
    assert status == 0
    assert variables["ASCEND_TOOLKIT_HOME"] == str(home)
    assert variables["atc"] == str(home / "bin" / "atc")
    assert str(home / "lib64") in variables["LD_LIBRARY_PATH"].split(":")
    assert str(home / "python" / "site-packages") in variables["PYTHONPATH"].split(":")
    assert variables["ASCEND_GLOBAL_LOG_LEVEL"] == "3"
    assert f"{layout}/set_env.sh" in said


def test_a_link_cann_goes_before_versions_and_a_new_layout_before_an_old_one(disk: Path, source: Source) -> None:
    root = disk / "usr/local/Ascend"
    write_cann(root, "ascend-toolkit", "8.0.0")
    older, newer = (write_cann(root, f"cann-8.{minor}.0", f"8.{minor}.0") for minor in (9, 10))
    assert source()[1]["ASCEND_TOOLKIT_HOME"] == str(newer)
    (root / "cann").symlink_to(older)
    assert "Ascend/cann/set_env.sh" in source()[2]


@pytest.mark.parametrize("how", ["argument", "variable", "note"])
def test_an_unusual_place_is_named_or_noted(disk: Path, source: Source, how: str) -> None:
    write_cann(disk / "usr/local/Ascend", "cann-8.5.0", "8.5.0")
    home = write_cann(disk / "opt/npu", "ascend-toolkit", "8.0.0")
    if how == "note":
        (disk / "etc/Ascend").mkdir()
        (disk / "etc/Ascend/ascend_cann_install.info").write_text(f"Install_Path={disk}/opt/npu\n")
    arguments = [disk / "opt/npu"] if how == "argument" else []
    variables = {"ASCEND_TOOLKIT_HOME": home} if how == "variable" else {}
    status, after, _ = source(*arguments, **variables)
    assert (status, after["ASCEND_TOOLKIT_HOME"]) == (0, str(home))


@pytest.mark.parametrize("set_too", ["ASCEND_TOOLKIT_HOME", "ASCEND_HOME_PATH"])
def test_a_named_folder_counts_more_than_what_is_set(disk: Path, source: Source, set_too: str) -> None:
    before = write_cann(disk / "usr/local/Ascend", "ascend-toolkit", "8.0.0")
    home = write_cann(disk / "opt/npu", "cann-8.5.0", "8.5.0")
    status, after, said = source(disk / "opt/npu", **{set_too: before})
    assert (status, after["ASCEND_TOOLKIT_HOME"]) == (0, str(home))
    assert str(home) in said
    assert source(**{set_too: before})[1]["ASCEND_TOOLKIT_HOME"] == str(before)


@pytest.mark.parametrize("variable", ["ASCEND_HOME_PATH", "SOMETHING_ELSE"])
def test_a_runtime_that_sets_another_variable_is_not_mixed_with_what_is_set(
    disk: Path, source: Source, variable: str
) -> None:
    before = write_cann(disk / "usr/local/Ascend", "ascend-toolkit", "8.0.0")
    place = disk / "opt/npu/nnrt/latest"
    place.mkdir(parents=True)
    (place / "set_env.sh").write_text(f"export {variable}={place}\n")
    status, after, _ = source(disk / "opt/npu", ASCEND_TOOLKIT_HOME=before, ASCEND_HOME_PATH=before)
    assert (status, after["ASCEND_TOOLKIT_HOME"]) == (0, str(place))


def test_a_named_folder_without_cann_is_not_replaced_by_another(disk: Path, source: Source) -> None:
    home = write_cann(disk / "usr/local/Ascend", "ascend-toolkit", "8.0.0")
    status, after, said = source(disk / "opt/npu", ASCEND_TOOLKIT_HOME=home)
    assert (status, after["ASCEND_TOOLKIT_HOME"]) == (1, str(home))
    assert f"no CANN in {disk}/opt/npu;" in said


def test_the_drivers_libraries_come_along(disk: Path, source: Source) -> None:
    write_cann(disk / "usr/local/Ascend", "ascend-toolkit", "8.0.0")
    driver = write_driver(disk / "usr/local/Ascend")
    _, variables, said = source()
    paths = variables["LD_LIBRARY_PATH"].split(":")
    assert {str(driver / name) for name in ("lib64", "lib64/common", "lib64/driver")} <= set(paths)
    assert not any("devlib" in path for path in paths)
    assert str(driver) in said


def test_without_a_driver_the_compiler_gets_its_stand_in(disk: Path, source: Source) -> None:
    home = write_cann(disk / "usr/local/Ascend", "cann-8.5.0", "8.5.0")
    _, variables, said = source()
    assert str(home / "x86_64-linux" / "devlib") in variables["LD_LIBRARY_PATH"].split(":")
    assert "no driver: models can be compiled but not run here" in said


@pytest.mark.parametrize("options", ["set -u", "set -e", "set -euo pipefail"])
def test_strict_shells_survive_it_and_stay_strict(disk: Path, source: Source, options: str) -> None:
    write_cann(disk / "usr/local/Ascend", "ascend-toolkit", "8.0.0")
    assert source(options=options)[0] == 0
    status, variables, _ = source(options=f'{options}\ntrap "echo ASCEND_TOOLKIT_HOME=$-" EXIT')
    assert status == 0
    assert set(options.split()[1].lstrip("-").replace("o", "")) <= set(variables["ASCEND_TOOLKIT_HOME"])


def test_what_somebody_set_stays(disk: Path, source: Source) -> None:
    write_cann(disk / "usr/local/Ascend", "ascend-toolkit", "8.0.0")
    _, variables, _ = source(ASCEND_GLOBAL_LOG_LEVEL="1", LD_LIBRARY_PATH="/mine")
    assert variables["ASCEND_GLOBAL_LOG_LEVEL"] == "1"
    assert "/mine" in variables["LD_LIBRARY_PATH"].split(":")


def test_nothing_is_changed_where_there_is_no_cann(source: Source) -> None:
    status, variables, said = source()
    assert status == 1
    assert not any(variables.values())
    assert "no CANN in" in said
    assert "source scripts/ascend_env.sh FOLDER" in said


SHELLS = ("bash", "bash --posix", "dash", "zsh -f", "ksh", "busybox ash")

CALLER = """\
set -eu
. "$SCRIPT" || echo "status=$?"
echo "toolkit=${ASCEND_TOOLKIT_HOME-}"
echo "paths=${LD_LIBRARY_PATH-}"
echo "arguments=$*"
set | grep -c ^_ascend_ | sed s/^/left=/ || :
"""
"""A script that sources ascend_env.sh, in a strict shell."""


@pytest.fixture(params=SHELLS)
def call(request: pytest.FixtureRequest, disk: Path) -> Source:
    """Like `source`, but through a script with arguments that sources ascend_env.sh, in each shell and without HOME."""
    shell = request.param.split()
    if not shutil.which(shell[0]):
        pytest.skip(f"needs {shell[0]}")

    def run(*arguments: str | Path, text: str = CALLER, **variables: str | Path) -> tuple[int, dict[str, str], str]:
        (disk / "caller.sh").write_text(text)
        environment = {"SCRIPT": SCRIPT, "ASCEND_SEARCH_ROOT": disk, "PATH": "/usr/bin:/bin", **variables}
        done = subprocess.run(
            [*shell, disk / "caller.sh", *arguments],
            env={name: str(value) for name, value in environment.items()},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, dict(line.split("=", 1) for line in done.stdout.splitlines()), done.stderr

    return run


def test_in_every_shell_a_scripts_own_arguments_stay_its_own(disk: Path, call: Source) -> None:
    home = write_cann(disk / "usr/local/Ascend", "cann-8.5.0", "8.5.0")
    (disk / "in").mkdir()
    status, after, said = call(disk / "in", "--force")
    assert (status, after["toolkit"], after["left"]) == (0, str(home), "0")
    assert after["arguments"] == f"{disk}/in --force"
    assert str(home / "lib64") in after["paths"].split(":")
    assert len(said.splitlines()) == 1


def test_in_every_shell_nothing_is_set_without_cann(disk: Path, call: Source) -> None:
    status, after, said = call("talk.wav", LD_LIBRARY_PATH="/mine")
    assert (status, after["status"], after["toolkit"], after["paths"], after["left"]) == (0, "1", "", "/mine", "0")
    assert said.startswith(f"ascend_env: no CANN in {disk}/usr/local/Ascend")
    assert len(said.splitlines()) == 1


def test_in_every_shell_nothing_is_set_without_bash(disk: Path, call: Source) -> None:
    write_cann(disk / "usr/local/Ascend", "cann-8.5.0", "8.5.0")
    text = 'PATH=/nowhere\n. "$SCRIPT"\necho "status=$?"\necho "toolkit=${ASCEND_TOOLKIT_HOME-}"\n'
    _, after, said = call(text=text)
    assert after == {"status": "1", "toolkit": ""}
    assert said == "ascend_env: CANN's scripts need bash, which was not found; no variables were set\n"


def test_a_value_may_have_any_characters(disk: Path, call: Source) -> None:
    home = write_cann(disk / 'it\'s "$here" & 昇腾/usr/local/Ascend', "cann-8.5.0", "8.5.0")
    (home / "set_env.sh").write_text('export ASCEND_TOOLKIT_HOME=$(dirname "${BASH_SOURCE[0]}")\n')
    _, after, _ = call(ASCEND_SEARCH_ROOT=home.parents[3])
    assert after["toolkit"] == str(home)


def test_a_script_that_is_given_a_folder_of_cann_as_its_own_argument_does_not_name_it(disk: Path) -> None:
    home = write_cann(disk / "usr/local/Ascend", "cann-8.5.0", "8.5.0")
    other = write_cann(disk / "opt/npu", "cann-8.5.0", "8.5.0")
    for text, expected in (('. "$0"', home), ('. "$0" "$1"', other), ('f() { . "$0"; }; f "$1"', home)):
        done = subprocess.run(
            ["bash", "-c", f'{text}; echo "$ASCEND_TOOLKIT_HOME"', SCRIPT, disk / "opt/npu"],
            env={"ASCEND_SEARCH_ROOT": str(disk), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{expected}\n"


def test_the_package_brings_the_same_script() -> None:
    assert ENVIRONMENT_SCRIPT.read_text(encoding="utf-8") == SCRIPT.read_text(encoding="utf-8")


def test_shellcheck_has_nothing_to_say() -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("needs shellcheck")
    scripts = sorted((ROOT / "scripts").glob("*.sh"))
    done = subprocess.run(["shellcheck", *scripts], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_shellcheck_has_nothing_to_say_of_the_part_in_bash() -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("needs shellcheck")
    program = SCRIPT.read_text(encoding="utf-8").partition("_ascend_program='")[2].partition("'")[0]
    done = subprocess.run(
        ["shellcheck", "--shell=bash", "-"], input=program, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
