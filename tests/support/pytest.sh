#!/usr/bin/env bash
# pytest.sh PYTHON FILE [MODULE...]: runs one Python test file; exits with 77 (skipped) where there is no Python, digitnet,
# pytest or one of the modules to run it with. A digitnet that is there and cannot be imported is a failure.
python=$1 file=$2
shift 2
modules=$(printf ', %s' "$@"); [ $# -gt 0 ] || modules=
if ! [ -x "$python" ] || ! reason=$("$python" -c "import digitnet, pytest$modules" 2>&1); then
  reason=${reason:-no such interpreter}
  reason=${reason##*$'\n'}
  case $reason in
    "no such interpreter" | "ModuleNotFoundError: No module named"*)
      echo "skipped: $(basename "$file"): $python cannot run it ($reason); ./dev setup makes one that can"
      exit 77 ;;
    *) echo "$(basename "$file"): $python fails to import what it tests: $reason"; exit 1 ;;
  esac
fi
"$python" -m pytest -q -rs "$file"
status=$?
[ $status = 5 ] && { echo "skipped: $(basename "$file"): nothing in it runs here"; exit 77; }  # 5: no test collected
exit $status
