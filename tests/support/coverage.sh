#!/usr/bin/env bash
# coverage.sh: the line coverage of what reads files, by its own tests and the corpora of the fuzz targets.
# Run from the root of the checkout; builds in build/coverage, with gcc. Prints a line for each file, and with -v the
# lines that were not reached. Fails if a file has less than 95 %.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

files="idx byte_source serialization safetensors strict_json json_fields run_config run_control checkpoint event_log drawing
  picture stb_decoder"
tests="hostile limits idx byte_source file_writer serialization strict_json json_value drawing picture checkpoint run faults
  run_faults"
targets="idx gzip_idx safetensors model_description strokes picture run_config run_control checkpoint events"

cmake -S . -B build/coverage -G Ninja --log-level=WARNING -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS="--coverage -O0" \
  -DDIGITNET_BUILD_EXAMPLES=OFF -DDIGITNET_INSTALL=OFF >/dev/null
# shellcheck disable=SC2086
cmake --build build/coverage --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" --target $(printf 'test_%s ' $tests) $(printf 'replay_%s ' $targets) >&2
find build/coverage -name '*.gcda' -delete
for name in $tests; do build/coverage/tests/test_"$name" >/dev/null || echo "test_$name fails" >&2; done
for name in $targets; do build/coverage/tests/fuzz/replay_"$name" tests/fuzz/corpus/"$name" >/dev/null 2>&1; done

status=0
for name in $files; do
  report=$(cd build/coverage && gcov -o CMakeFiles/digitnet.dir/src/"$name".cpp.gcda ../../src/"$name".cpp 2>/dev/null |
    grep -A1 "src/$name.cpp'")
  percent=$(sed -n 's/Lines executed:\([0-9.]*\)% of \([0-9]*\)/\1 \2/p' <<<"$report")
  echo "$name.cpp: ${percent% *} % of ${percent#* } lines"
  if [ "${1:-}" = -v ]; then grep -n '^ *#####' build/coverage/"$name".cpp.gcov || true; fi
  awk -v percent="${percent% *}" 'BEGIN { exit percent < 95 }' || status=1
done
exit $status
