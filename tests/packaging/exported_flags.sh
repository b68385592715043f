#!/usr/bin/env bash
# exported_flags.sh PREFIX SOURCE: the installed package hands on no warnings, sanitizers, -march or build paths.
set -euo pipefail
prefix=$1 source=$2
mapfile -t files < <(find "$prefix" -name '*.cmake' -o -name '*.pc')
[ ${#files[@]} -ge 4 ] || { echo "only ${#files[@]} package files below $prefix"; exit 1; }
if grep -nE -e '-W[a-z]|-Werror|-fsanitize|-march|-mtune|-ffast-math|digitnet_warnings' "${files[@]}" |
  grep -v 'rpath'; then
  echo "the lines above leak flags to users"
  exit 1
fi
if grep -nF -e "$source/src" -e "$source/include" "${files[@]}"; then
  echo "the lines above name the folder digitnet was built in"
  exit 1
fi
echo "clean: ${files[*]##*/}"
