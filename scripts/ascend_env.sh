# shellcheck shell=sh
# The variables that programs for Ascend NPUs need, found rather than guessed. To be sourced, not run, by sh, dash, bash,
# zsh or ksh:
#
#   . scripts/ascend_env.sh [FOLDER]
#
# FOLDER is where CANN was installed, if it is no usual place, or not the one to use; no other is looked into then. In
# dash, which hands on no arguments, set ASCEND_TOOLKIT_HOME instead. Knows the layouts of CANN 7, 8 and 8.5: toolkit,
# nnae and nnrt. Says on stderr what it found; gives 1, and changes nothing, if it finds no CANN.
# With ASCEND_SEARCH_ROOT it looks below that folder instead of /, e.g. in the mounted disk of another machine.
#
# CANN's own script is sourced in a bash of its own, for which it is written. What that bash has in the end is taken over
# whole or not at all, whatever this shell is, and whichever of its options are set.

# The program of that bash. It has no apostrophe. Its arguments: `given` if FOLDER follows, `none`, or `perhaps` if what
# follows may be the arguments of the script that sources this file: FOLDER is what holds CANN then.
# shellcheck disable=SC2016
_ascend_program='
candidates() { # set_env.sh in FOLDER; else where variables, notes of installers and the usual places have it
  local home place note
  if [ $# -eq 0 ]; then
    for home in "${ASCEND_TOOLKIT_HOME:-}" "${ASCEND_HOME_PATH:-}"; do
      if [ -n "$home" ]; then printf "%s\n" "$home/set_env.sh" "$(dirname "$home")/set_env.sh"; fi
    done
    set -- "$(noted "$root/etc/Ascend/ascend_cann_install.info" Install_Path)" \
      "$root/usr/local/Ascend" "${HOME:+$HOME/Ascend}"
  fi
  for place in "$@"; do # in each the newest first
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

noted() { # the value of a key in a note that an installer left
  if [ -r "$1" ]; then sed -n "s/^$2=//p" "$1" | head -n 1; fi
}

append() { # put a folder at the end of a list of paths, if it exists and is not there
  local list=${!1:-}
  if [ -d "$2" ] && [[ ":$list:" != *":$2:"* ]]; then export "$1=${list:+$list:}$2"; fi
}

changes() { # commands that make of the variables in `before` those that are exported now
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
  echo "ascend_env: no CANN in ${*:-$root/usr/local/Ascend${HOME:+ or $HOME/Ascend}}; name its folder:" \
    "source scripts/ascend_env.sh FOLDER" >&2
  exit 1
fi
set --

unset ASCEND_TOOLKIT_HOME ASCEND_HOME_PATH # of another CANN, if a script sets but one of them
# shellcheck source=/dev/null
. "$found" > /dev/null
set +eu

toolkit=${ASCEND_TOOLKIT_HOME:-${ASCEND_HOME_PATH:-}}
if [ ! -d "$toolkit" ]; then # as the scripts of some runtimes leave it
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
else # the compiler is content with a stand-in for the libraries of the driver
  for folder in "$toolkit"/*-linux/devlib "$toolkit/devlib"; do append LD_LIBRARY_PATH "$folder"; done
  driver="no driver: models can be compiled here, not run"
fi
export ASCEND_SLOG_PRINT_TO_STDOUT=${ASCEND_SLOG_PRINT_TO_STDOUT:-0} # the log of CANN goes to files,
export ASCEND_GLOBAL_LOG_LEVEL=${ASCEND_GLOBAL_LOG_LEVEL:-3}         # and holds errors
changes || exit
echo "ascend_env: $found; $driver" >&2
'

_ascend_folder=perhaps
if [ -n "${BASH_VERSION-}" ]; then
  # A file that is sourced without arguments has those of the script, and bash notes the name of the file among them.
  _ascend_is_given() { eval '[ "${BASH_ARGV[0]-}" != "${BASH_SOURCE[0]-}" ]'; }
  if _ascend_is_given; then _ascend_folder=given; else _ascend_folder=none; fi
  unset -f _ascend_is_given
else
  case $- in *i*) _ascend_folder=given ;; esac # at a prompt there are no others
fi

if ! command -v bash > /dev/null; then
  echo "ascend_env: CANN's scripts need bash, and there is none; nothing was set" >&2
  unset _ascend_program _ascend_folder
  false && : # a status of 1 that does not end a shell with set -e here, but where it was sourced
elif _ascend_changes=$( # of the variables that count, also those that this shell has not exported
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
