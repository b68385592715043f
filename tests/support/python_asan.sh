#!/usr/bin/env bash
# python_asan.sh [FILE...]: the tests in tests/python, or those named, with a module built with the address and undefined
# behaviour sanitizers. Needs .venv (./dev setup); builds in build/pyasan, with gcc.
#
# The interpreter is not built with the sanitizer, which must then be loaded before all else, and libstdc++ with it, or
# it does not find the functions that throw. Memory that is never freed is not looked for: Python itself keeps much
# until the end (the C++ tests look for it).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
python=${DIGITNET_TEST_PYTHON:-$PWD/.venv/bin/python}
[ -x "$python" ] || { echo "python_asan.sh: $python is not there; ./dev setup makes it" >&2; exit 2; }

cmake --preset pyasan --log-level=WARNING -DPython_EXECUTABLE="$python" >&2
cmake --build --preset pyasan >&2
# An environment of its own, which sees what is installed in the other one but not the digitnet that may be linked there.
rm -rf build/pyasan/venv
"$python" -m venv --without-pip build/pyasan/venv
site=$(build/pyasan/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
"$python" -c 'import site, sys; print(*(p for p in sys.path if p.endswith("-packages")), sep="\n")' >"$site/others.pth"
cmake --install build/pyasan --component python --prefix "$site" >/dev/null

[ $# -gt 0 ] || set -- tests/python
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so)" PYTHONMALLOC=malloc \
  ASAN_OPTIONS="detect_leaks=0:allocator_may_return_null=1:${ASAN_OPTIONS:-}" UBSAN_OPTIONS=print_stacktrace=1 \
  build/pyasan/venv/bin/python -m pytest -q -rs "$@"
