#!/usr/bin/env bash
# Compile a model for Ascend NPUs on a machine that has CANN, but cannot run funasr-cli; elsewhere use
# `funasr-cli convert`, which does more.
#
#   scripts/convert_atc.sh MODEL_DIR [--soc Ascend310P3] [--precision MODE] [--host-cpu aarch64|x86_64] [--dry-run]
#
# MODEL_DIR is a folder made by `funasr-cli export` or `freeze`. The OM is written there as <model>_<window>s_<soc>.om,
# and its origin is appended to model.yaml. Copy both back. Without --soc, npu-smi is asked for the SoC.
set -euo pipefail

fail() {
  printf 'error: %s\n' "$@" >&2
  exit 4
}

soc=auto precision=allow_mix_precision host_cpu='' dry_run=false folder=''
while [ $# -gt 0 ]; do
  case $1 in
    --soc | --precision | --host-cpu)
      [ $# -gt 1 ] || fail "$1 needs a value"
      name=${1#--} && name=${name//-/_}
      printf -v "$name" %s "$2" && shift
      ;;
    --dry-run) dry_run=true ;;
    -h | --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0" && exit ;;
    -*) fail "unknown option $1" ;;
    *) folder=$1 ;;
  esac
  shift
done
[ -n "$folder" ] || fail "specify a folder made by funasr-cli export or freeze"
account=$folder/model.yaml
[ -r "$account" ] || fail "$folder has no model.yaml: specify a folder made by funasr-cli export or freeze"
folder=$(cd "$folder" && pwd -P)

# Non-ASCII letters are left to atc.
refused=$(printf %s "$folder" | LC_ALL=C tr -d 'A-Za-z0-9._/\200-\377-' | wc -c)
[ "$refused" -eq 0 ] || fail "ATC does not accept the path $folder: it accepts letters, digits and . _ - / only"

table() { # print name, card and chip of each NPU, by the rules of funasr_cli/executors/ascend/npu_smi.py
  awk -F '|' '
    /Process id/ { exit }
    !/^ *\|/ { next }
    {
      for (i = 2; i < NF; i++) gsub(/^ +| +$/, "", $i)
      first = $2; health = $3
      if (NF == 6 && $5 ~ /\//) { first = $2 " " $3; health = $4 } # number and name are in separate cells
    }
    first ~ /^[0-9]+ +[A-Za-z0-9][A-Za-z0-9_-]*$/ && health ~ /^[A-Za-z]+$/ && health != "NA" {
      if (name != "") print name, card
      split(first, part, / +/); card = part[1]; name = part[2]
      next
    }
    name != "" { split($2, part, / +/); print name, card, part[1]; name = "" } # the second row of an NPU
    END { if (name != "") print name, card }
  '
}

soc_of() { # print the SoC of an NPU by name, card and chip; a name with Ascend is a series, the board has the rest
  local board chip npu
  if [[ $1 != Ascend* ]]; then echo "Ascend$1" && return; fi
  board=$(npu-smi info -t board -i "$2" ${3:+-c "$3"}) || true
  chip=$(on_board 'Chip Name' "$board")
  npu=$(on_board 'NPU Name' "$board")
  if [ -n "$chip" ] && [ -n "$npu$(on_board 'Chip Type' "$board")" ]; then
    echo "Ascend${chip#Ascend}${npu:+_$npu}"
  fi
}

on_board() { # print the value of a name, if there is one
  sed -nE "/: *NA *$/d; s/^ *$1 *: *([A-Za-z0-9_-]+) *$/\1/p" <<< "$2"
}

if [ "$soc" = auto ]; then
  command -v npu-smi > /dev/null || fail "npu-smi was not found; specify the SoC: --soc Ascend310P3"
  mapfile -t npus < <(npu-smi info | table | sort -u -k 1,1)
  mapfile -t socs < <(for npu in "${npus[@]}"; do
    read -r name card chip <<< "$npu"
    soc_of "$name" "$card" "$chip"
  done | sort -u)
  [ ${#socs[@]} -eq 1 ] || fail "npu-smi does not report a single SoC (${socs[*]:-none}); specify it: --soc Ascend310P3"
  soc=${socs[0]}
fi
if [[ ${soc,,} == ascend* ]]; then soc=${soc:6}; fi # npu-smi omits the prefix
soc=Ascend$soc
[[ $soc =~ ^Ascend[A-Za-z0-9][A-Za-z0-9_-]*$ ]] || fail "$soc is not the name of a SoC: npu-smi info shows it in the column Name"

# The first graph whose dimensions are all numbers, and its inputs, such as `speech: float [1, 250, 560]`.
read -r graph shape < <(awk '
  /^[^ ]/ { at = $1 == "graphs:" }
  at && /^  [^ ]/ { name = $1; sub(/:$/, "", name); shape = ""; free = 0 }
  at && /^    [^ ]/ { inputs = $1 == "inputs:"; if ($1 == "outputs:" && !free) { print name, shape; exit } }
  at && inputs && /^      / {
    dims = $0; sub(/.*\[/, "", dims); sub(/\].*/, "", dims); gsub(/ /, "", dims)
    if (dims !~ /^[0-9,]+$/) free = 1
    shape = shape (shape == "" ? "" : ";") $1 dims
  }
' "$account") || true
[ -n "${shape:-}" ] || fail "$account lists no graph with fixed dimensions"
[ -r "$folder/$graph" ] || fail "$folder/$graph is missing"
window=$(sed -n 's/^window: *//p' "$account" | sed 's/\.0*$//')
om=$folder/${folder##*/}_${window}s_$soc.om

command=(
  atc "--model=$folder/$graph" --framework=5 "--output=${om%.om}" --input_format=ND "--input_shape=$shape"
  "--soc_version=$soc"
  ${host_cpu:+--host_env_os=linux "--host_env_cpu=$host_cpu"}
  "--precision_mode=$precision" --log=error
)
line=()
for word in "${command[@]}"; do
  if [[ $word == *[!A-Za-z0-9_./=:,-]* ]]; then word="'$word'"; fi
  line+=("$word")
done
echo "${line[*]}"
if $dry_run; then exit; fi

if ! command -v atc > /dev/null; then
  # shellcheck source=scripts/ascend_env.sh
  . "$(dirname "$0")/ascend_env.sh" || exit 4
fi
litter=$(mktemp -d) # atc leaves logs and kernels in its working folder
trap 'rm -rf "$litter"' EXIT
(cd "$litter" && "${command[@]}") || fail "atc failed; see its messages with a code (E10001, EZ3003, …) above"
if [ -n "$host_cpu" ] && [ -f "${om%.om}_linux_$host_cpu.om" ]; then mv "${om%.om}_linux_$host_cpu.om" "$om"; fi

sum() { sha256sum "$1" | cut -d ' ' -f 1; }
atc_version=$(cd "$litter" && atc --mode=6 "--om=$om" | sed -n 's/.*atc_version\[\([^]]*\)\].*/\1/p') || true
home=${ASCEND_TOOLKIT_HOME:-/nowhere}
cann=$(cat "$home"/*-linux/ascend_*_install.info "$home"/ascend_*_install.info 2> /dev/null |
  sed -n 's/^version=//p' | head -n 1) || true
grep -q '^oms:' "$account" || echo 'oms:' >> "$account"
cat >> "$account" << END
  ${om##*/}:
    soc: $soc
    precision: $precision
    made_from:
      file: $graph
      sha256: $(sum "$folder/$graph")
    atc: ${atc_version:-unknown}
    cann: ${cann:-unknown}
    sha256: $(sum "$om")
END
echo "$om is ready" >&2
