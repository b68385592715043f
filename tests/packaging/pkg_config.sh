#!/usr/bin/env bash
# pkg_config.sh PREFIX FOLDER COMPILER: compiles and runs the smallest program with pkg-config alone.
set -euo pipefail
prefix=$1 folder=$2 compiler=$3
command -v pkg-config >/dev/null || { echo "skipped: packaging.pkg_config: no pkg-config here"; exit 77; }
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name digitnet.pc)")
export PKG_CONFIG_PATH
mkdir -p "$folder"
[ -f "$prefix/share/digitnet/models/mnist.safetensors" ] || { echo "the model was not installed"; exit 1; }
read -ra flags <<<"$(pkg-config --cflags --libs digitnet)"
echo "flags: ${flags[*]}"
"$compiler" -std=c++20 "$(dirname "$0")/find_package/main.cpp" "${flags[@]}" -Wl,-rpath,"$prefix/lib" -o "$folder/app"
"$folder/app"
