# shellcheck shell=bash
# The variables that programs for Ascend NPUs need, found rather than guessed. To be sourced, not run:
#
#   source scripts/ascend_env.sh [FOLDER]
#
# FOLDER is where CANN was installed, if it is no usual place, or not the one to use; no other is looked into then. Knows
# the layouts of CANN 7, 8 and 8.5: toolkit, nnae and nnrt. Says on stderr what it found; gives 1, and changes nothing,
# where it finds no CANN.
# With ASCEND_SEARCH_ROOT it looks below that folder instead of /, e.g. in the mounted disk of another machine.

_ascend_candidates() { # set_env.sh in FOLDER; else where variables, the installer's notes and the usual places have it
  local root home place note
  root=${ASCEND_SEARCH_ROOT:-}
  if [ $# -eq 0 ]; then
    for home in "${ASCEND_TOOLKIT_HOME:-}" "${ASCEND_HOME_PATH:-}"; do
      if [ -n "$home" ]; then printf '%s\n' "$home/set_env.sh" "$(dirname "$home")/set_env.sh"; fi
    done
    set -- "$(_ascend_noted "$root/etc/Ascend/ascend_cann_install.info" Install_Path)" \
      "$root/usr/local/Ascend" "$HOME/Ascend"
  fi
  for place in "$@"; do # in each the newest first
    if [ -z "$place" ]; then continue; fi
    printf '%s\n' "$place/set_env.sh" "$place/cann/set_env.sh"
    for note in "$place"/cann-*/set_env.sh; do printf '%s\n' "$note"; done | sort -rV
    printf '%s\n' "$place"/{ascend-toolkit,ascend-toolkit/latest,nnae,nnae/latest,nnrt,nnrt/latest}/set_env.sh
  done
}

_ascend_noted() { # the value of a key in a note that an installer left
  if [ -r "$1" ]; then sed -n "s/^$2=//p" "$1" | head -n 1; fi
}

_ascend_append() { # put a folder at the end of a list of paths, if it exists and is not there
  local list=${!1:-}
  if [ -d "$2" ] && [[ ":$list:" != *":$2:"* ]]; then export "$1=${list:+$list:}$2"; fi
}

_ascend_env() {
  local root script found driver folder toolkit had_u=false had_e=false
  root=${ASCEND_SEARCH_ROOT:-}
  while IFS= read -r script; do
    if [ -f "$script" ]; then found=$script && break; fi
  done < <(_ascend_candidates "$@")
  if [ -z "${found:-}" ]; then
    echo "ascend_env: no CANN in ${*:-$root/usr/local/Ascend or $HOME/Ascend}; name its folder:" \
      "source scripts/ascend_env.sh FOLDER" >&2
    return 1
  fi

  # CANN's script reads variables that are not set, and not all that it runs has to succeed.
  case $- in *u*) had_u=true ;; esac
  case $- in *e*) had_e=true ;; esac
  set +ue
  unset ASCEND_TOOLKIT_HOME ASCEND_HOME_PATH # of another CANN, where a script sets but one of them
  # shellcheck source=/dev/null
  . "$found" > /dev/null
  if $had_u; then set -u; fi
  if $had_e; then set -e; fi

  toolkit=${ASCEND_TOOLKIT_HOME:-${ASCEND_HOME_PATH:-}}
  if [ ! -d "$toolkit" ]; then # as the scripts of some runtimes leave it
    toolkit=$(dirname "$found")
    if [ -d "$toolkit/latest" ]; then toolkit=$toolkit/latest; fi
  fi
  export ASCEND_TOOLKIT_HOME=$toolkit
  _ascend_append PYTHONPATH "$toolkit/python/site-packages"
  _ascend_append LD_LIBRARY_PATH "$toolkit/lib64"

  driver=$(_ascend_noted "$root/etc/ascend_install.info" Driver_Install_Path_Param)
  driver=$root${driver:-/usr/local/Ascend}/driver
  if [ -d "$driver/lib64" ]; then
    for folder in lib64 lib64/common lib64/driver; do _ascend_append LD_LIBRARY_PATH "$driver/$folder"; done
  else # the compiler is content with a stand-in for the driver's libraries
    for folder in "$toolkit"/*-linux/devlib "$toolkit/devlib"; do _ascend_append LD_LIBRARY_PATH "$folder"; done
    driver="no driver: models can be compiled here, not run"
  fi
  export ASCEND_SLOG_PRINT_TO_STDOUT=${ASCEND_SLOG_PRINT_TO_STDOUT:-0} # CANN's log goes to files,
  export ASCEND_GLOBAL_LOG_LEVEL=${ASCEND_GLOBAL_LOG_LEVEL:-3}         # and holds errors
  echo "ascend_env: $found; $driver" >&2
}

_ascend_status=0
_ascend_env "$@" || _ascend_status=$?
unset -f _ascend_candidates _ascend_noted _ascend_append _ascend_env
# shellcheck disable=SC2317 # the second is for who runs it all the same
eval "unset _ascend_status; return $_ascend_status 2> /dev/null || exit $_ascend_status"
