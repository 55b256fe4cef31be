#!/usr/bin/env bash
# What has to be right before a release: builds wheel and sdist from what git knows of the working tree, checks what they
# hold, and installs and runs both in fresh environments. Needs .venv (make setup) and the package index.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/find_python.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source" "$work/empty"

say() { printf '%s (%d s)\n' "$*" "$SECONDS"; }
fail() {
  printf 'release check: %s\n' "$*" >&2
  exit 1
}

say "build"
git ls-files -z | xargs -0 cp --parents --no-dereference --target-directory="$work/source"
.venv/bin/python -m build --outdir "$work/dist" "$work/source" > "$work/log" 2>&1 || { cat "$work/log" && exit 1; }
wheel=$(echo "$work"/dist/*.whl)
sdist=$(echo "$work"/dist/*.tar.gz)
version=$(.venv/bin/python -c 'import funasr_cli; print(funasr_cli.__version__)')
case $(basename "$sdist") in "funasr_cli-$version.tar.gz") ;; *) fail "the sdist is called $(basename "$sdist")" ;; esac
grep -q "^## $version - " CHANGELOG.md || fail "CHANGELOG.md has no section with a date for $version"

say "what they hold"
# The sdist: all that git knows, but hidden files; the links to what ships become the files themselves.
git ls-files | grep -v '^\.' | sed -E 's,^(funasr_cli/data/[^/]+)$,\1/,' | sort > "$work/wanted"
tar -tzf "$sdist" | sed 's,^[^/]*/,,' | sort > "$work/held"
missing=$(comm -23 "$work/wanted" "$work/held")
[ -z "$missing" ] || fail "not in the sdist: $missing"
.venv/bin/python - "$wheel" << 'PYTHON'
import sys
import zipfile
from pathlib import Path

from packaging.metadata import Metadata
from trove_classifiers import classifiers

with zipfile.ZipFile(sys.argv[1]) as wheel:
    held = set(wheel.namelist())
    (path,) = (name for name in held if name.endswith(".dist-info/METADATA"))
    metadata = Metadata.from_email(wheel.read(path), validate=True)
info = path.partition("/")[0]
wanted = {"funasr_cli/py.typed", "funasr_cli/executors/ascend_env.sh", f"{info}/licenses/LICENSE"}
wanted |= {f"funasr_cli/data/{path}" for folder in ("configs", "hotwords") for path in Path(folder).iterdir()}
wanted |= {f"{info.removesuffix('.dist-info')}.data/data/share/man/man1/{path.name}" for path in Path("man").iterdir()}
wanted |= {str(path) for path in Path("funasr_cli").rglob("*.py")}
if missing := sorted(wanted - held):
    sys.exit(f"not in the wheel: {missing}")
if strange := sorted(name for name in held - wanted if not name.startswith(f"{info}/")):
    sys.exit(f"in the wheel, and not wanted there: {strange}")
if unknown := set(metadata.classifiers) - classifiers:
    sys.exit(f"classifiers that do not exist: {unknown}")
PYTHON

try() { # the program in the environment $1, from an empty folder
  (
    cd "$work/empty"
    export PATH="$1/bin:$PATH"
    [ "$(funasr-cli --version)" = "funasr-cli, version $version" ] || fail "--version: $(funasr-cli --version)"
    for arguments in "--help" "config show" "hotwords list" "completion bash"; do
      # shellcheck disable=SC2086
      [ -n "$(funasr-cli $arguments)" ] || fail "$arguments printed nothing"
    done
    case $(funasr-cli hotwords path gov) in "$1"/*) ;; *) fail "hotwords path gov: $(funasr-cli hotwords path gov)" ;; esac
    [ -f "$1/share/man/man1/funasr-cli.1" ] || fail "no man page"
    python -m pip check > "$work/log" || fail "$(cat "$work/log")"
  )
}

tried=0
for each in 3.10 3.13; do
  python=$(find_python "$each")
  if [ -z "$python" ]; then continue; fi
  environment=$work/$each
  "$python" -m venv "$environment"
  say "the wheel on Python $each"
  "$environment/bin/pip" install --quiet --disable-pip-version-check "$wheel"
  try "$environment"
  say "the sdist on Python $each"
  "$environment/bin/pip" install --quiet --disable-pip-version-check --force-reinstall --no-deps "$sdist"
  try "$environment"
  tried=$((tried + 1))
done
[ "$tried" -gt 0 ] || fail "found neither Python 3.10 nor 3.13"
say "ready: $(basename "$wheel"), $(basename "$sdist")"
