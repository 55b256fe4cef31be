# shellcheck shell=bash
# To be sourced by the scripts that need several versions of Python.

find_python() { # newest interpreter of a version, if this machine has one
  local found
  for found in "$HOME"/.pyenv/versions/"$1".*/bin/python "$(command -v "python$1")"; do
    if [ -x "$found" ] && "$found" -c "import sys; exit('%d.%d' % sys.version_info[:2] != '$1')" 2> /dev/null; then
      echo "$found"
      return
    fi
  done
}
