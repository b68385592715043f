#!/usr/bin/env bash
# pytest.sh PYTHON FILE: runs one Python test file; exits with 77 (skipped) where that cannot be.
python=$1 file=$2
if ! [ -x "$python" ] || ! reason=$("$python" -c 'import digitnet, pytest' 2>&1); then
  reason=${reason:-no such interpreter}
  echo "skipped: $(basename "$file"): $python cannot run it (${reason##*$'\n'}); ./dev setup makes one that can"
  exit 77
fi
"$python" -m pytest -q -rs "$file"
status=$?
[ $status = 5 ] && { echo "skipped: $(basename "$file"): nothing in it runs here"; exit 77; }  # 5: no test collected
exit $status
