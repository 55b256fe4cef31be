# shellcheck shell=sh
# Find CANN and set the variables that programs for Ascend NPUs need. Source this file, do not run it. For sh, dash,
# bash, zsh and ksh:
#
#   . scripts/ascend_env.sh [FOLDER]
#
# FOLDER is where CANN is installed, if that is not a usual place, or there are several; then only FOLDER is searched.
# dash does not pass arguments to sourced files, so set ASCEND_TOOLKIT_HOME instead. Supports the layouts of CANN 7, 8
# and 8.5: toolkit, nnae and nnrt. Reports what it found on stderr. If it finds no CANN, it returns 1 and changes
# nothing. With ASCEND_SEARCH_ROOT it searches below that folder instead of /, e.g. on a mounted disk.
#
# CANN's own script is written for bash, so it is sourced in a separate bash. The resulting variables are taken over
# completely or not at all, whatever this shell is and whichever options it has set.

# The program of that bash. It must not contain an apostrophe. Its arguments: `given` if FOLDER follows, `none`, or
# `perhaps` if what follows may be arguments of the script that sources this file; then it counts only if it has CANN.
# shellcheck disable=SC2016
_ascend_program='
candidates() { # set_env.sh in FOLDER; otherwise by variables, records of installers and the usual places
  local home place note
  if [ $# -eq 0 ]; then
    for home in "${ASCEND_TOOLKIT_HOME:-}" "${ASCEND_HOME_PATH:-}"; do
      if [ -n "$home" ]; then printf "%s\n" "$home/set_env.sh" "$(dirname "$home")/set_env.sh"; fi
    done
    set -- "$(noted "$root/etc/Ascend/ascend_cann_install.info" Install_Path)" \
      "$root/usr/local/Ascend" "${HOME:+$HOME/Ascend}"
  fi
  for place in "$@"; do # the newest first in each
    if [ -z "$place" ]; then continue; fi
    printf "%s\n" "$place/set_env.sh" "$place/cann/set_env.sh"
    for note in "$place"/cann-*/set_env.sh; do printf "%s\n" "$note"; done | sort -rV
    printf "%s\n" "$place"/{ascend-toolkit,ascend-toolkit/latest,nnae,nnae/latest,nnrt,nnrt/latest}/set_env.sh
  done
}

find_cann() { # the first of the candidates that exists
  local script
  candidates "$@" | while IFS= read -r script; do
    if [ -f "$script" ]; then printf "%s\n" "$script" && break; fi
  done
}

noted() { # the value of a key in a file written by an installer
  if [ -r "$1" ]; then sed -n "s/^$2=//p" "$1" | head -n 1; fi
}

append() { # append a folder to a list of paths, if it exists and is not in the list
  local list=${!1:-}
  if [ -d "$2" ] && [[ ":$list:" != *":$2:"* ]]; then export "$1=${list:+$list:}$2"; fi
}

changes() { # print the commands that turn the variables in `before` into those exported now
  local name quote value
  printf -v quote "\\047"
  for name in $(compgen -e); do
    value=${!name}
    case $name in _ | SHLVL | PWD | OLDPWD) continue ;; esac
    if [ "${before[$name]-unset}" = "=$value" ]; then continue; fi
    printf "export %s=%s%s%s\n" "$name" "$quote" "${value//$quote/$quote\\$quote$quote}" "$quote"
  done
  for name in "${!before[@]}"; do
    if [ -z "${!name+set}" ]; then printf "unset %s\n" "$name"; fi
  done
}

declare -A before
for name in $(compgen -e); do before[$name]="=${!name}"; done

root=${ASCEND_SEARCH_ROOT:-}
case $1 in
  given) set -- "${@:2}" ;;
  none) set -- ;;
  *) if [ $# -ge 2 ] && [ -n "$(find_cann "$2")" ]; then set -- "$2"; else set --; fi ;;
esac
found=$(find_cann "$@")
if [ -z "$found" ]; then
  echo "ascend_env: no CANN in ${*:-$root/usr/local/Ascend${HOME:+ or $HOME/Ascend}}; specify its folder:" \
    "source scripts/ascend_env.sh FOLDER" >&2
  exit 1
fi
set --

unset ASCEND_TOOLKIT_HOME ASCEND_HOME_PATH # they may belong to another CANN, if a script sets only one of them
# shellcheck source=/dev/null
. "$found" > /dev/null
set +eu

toolkit=${ASCEND_TOOLKIT_HOME:-${ASCEND_HOME_PATH:-}}
if [ ! -d "$toolkit" ]; then # the scripts of some runtimes do not set it
  toolkit=$(dirname "$found")
  if [ -d "$toolkit/latest" ]; then toolkit=$toolkit/latest; fi
fi
export ASCEND_TOOLKIT_HOME=$toolkit
append PYTHONPATH "$toolkit/python/site-packages"
append LD_LIBRARY_PATH "$toolkit/lib64"

driver=$(noted "$root/etc/ascend_install.info" Driver_Install_Path_Param)
driver=$root${driver:-/usr/local/Ascend}/driver
if [ -d "$driver/lib64" ]; then
  for folder in lib64 lib64/common lib64/driver; do append LD_LIBRARY_PATH "$driver/$folder"; done
else # the compiler also works with stubs of the driver libraries
  for folder in "$toolkit"/*-linux/devlib "$toolkit/devlib"; do append LD_LIBRARY_PATH "$folder"; done
  driver="no driver: models can be compiled but not run here"
fi
export ASCEND_SLOG_PRINT_TO_STDOUT=${ASCEND_SLOG_PRINT_TO_STDOUT:-0} # CANN logs to files,
export ASCEND_GLOBAL_LOG_LEVEL=${ASCEND_GLOBAL_LOG_LEVEL:-3}         # and only errors
changes || exit
echo "ascend_env: $found; $driver" >&2
'

_ascend_folder=perhaps
if [ -n "${BASH_VERSION-}" ]; then
  # A file sourced without arguments sees those of the script; bash then records the name of the file in BASH_ARGV.
  _ascend_is_given() { eval '[ "${BASH_ARGV[0]-}" != "${BASH_SOURCE[0]-}" ]'; }
  if _ascend_is_given; then _ascend_folder=given; else _ascend_folder=none; fi
  unset -f _ascend_is_given
else
  case $- in *i*) _ascend_folder=given ;; esac # at a prompt there are no other arguments
fi

if ! command -v bash > /dev/null; then
  echo "ascend_env: CANN's scripts need bash, which was not found; no variables were set" >&2
  unset _ascend_program _ascend_folder
  false && : # a status of 1 that does not end a shell with set -e here, but at the line that sources this file
elif _ascend_changes=$( # also pass the variables that matter but are not exported by this shell
  export PATH ${LD_LIBRARY_PATH+LD_LIBRARY_PATH} ${PYTHONPATH+PYTHONPATH} ${ASCEND_SEARCH_ROOT+ASCEND_SEARCH_ROOT} \
    ${ASCEND_TOOLKIT_HOME+ASCEND_TOOLKIT_HOME} ${ASCEND_HOME_PATH+ASCEND_HOME_PATH}
  BASH_ENV='' bash -c "$_ascend_program" ascend_env "$_ascend_folder" "$@" < /dev/null
); then
  eval "$_ascend_changes"
  unset _ascend_program _ascend_folder _ascend_changes
else
  unset _ascend_program _ascend_folder _ascend_changes
  false && :
fi
