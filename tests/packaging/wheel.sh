#!/usr/bin/env bash
# wheel.sh SOURCE FOLDER: builds the wheel and uses it from a fresh environment that knows nothing else of digitnet.
# Needs the .venv that ./dev setup makes from the Python package index, for the build requirements.
set -euo pipefail
source=$1 folder=$2
python=$source/.venv/bin/python
if [ "$(cat "$source/.venv/digitnet-mode" 2>/dev/null)" != index ]; then
  echo "skipped: packaging.wheel: .venv has no scikit-build-core (the Python package index was not reachable)"
  exit 77
fi
mkdir -p "$folder"
export PIP_CACHE_DIR=$source/build/pip-cache PIP_DISABLE_PIP_VERSION_CHECK=1
rm -rf "$folder"/*.whl "$folder/venv"
# The build folder stays, so that the second time is quick.
"$python" -m pip --quiet wheel --no-build-isolation --no-deps --config-settings=build-dir="$folder/build" \
  --wheel-dir "$folder" "$source"
"$python" -m venv "$folder/venv"
if ! "$folder/venv/bin/python" -m pip --quiet install --retries 1 --timeout 30 \
  -c "$source/tests/constraints.txt" numpy rich; then
  echo "skipped: packaging.wheel: the Python package index does not answer now"
  exit 77
fi
"$folder/venv/bin/python" -m pip --quiet install --no-index "$folder"/digitnet-*.whl
cd "$folder"  # away from the sources
unzip=$("$folder/venv/bin/python" -m zipfile --list digitnet-*.whl)
echo "$unzip"
if grep -E 'test|examples/|\.hpp|\.a$|\.cpp' <<<"$unzip"; then
  echo "the wheel holds what it should not (lines above)"
  exit 1
fi
grep -q 'digitnet/py.typed' <<<"$unzip" || { echo "the wheel lacks py.typed"; exit 1; }
grep -q 'digitnet/models/mnist.safetensors' <<<"$unzip" || { echo "the wheel lacks the model"; exit 1; }
for file in templates/digitnet/draw.html static/digitnet/css/base.css static/digitnet/js/pad.js migrations/0001_initial.py; do
  grep -q "digitnet/web/$file" <<<"$unzip" || { echo "the wheel lacks web/$file"; exit 1; }
done
if grep -q 'node_modules' <<<"$unzip"; then echo "the wheel holds node_modules"; exit 1; fi
if command -v npm >/dev/null && ! grep -q 'digitnet/web/static/digitnet/vendor/uplot/uPlot.esm.js' <<<"$unzip"; then
  echo "the wheel lacks uPlot, though npm is there"
  exit 1
fi
# Without the extra "web", digitnet serve says what is missing.
reason=$("$folder/venv/bin/digitnet" serve 2>&1 >/dev/null) && { echo "digitnet serve works without Django"; exit 1; }
[[ $reason == *'pip install "digitnet[web]"'* ]] || { echo "digitnet serve without Django says: $reason"; exit 1; }
"$folder/venv/bin/python" -W error - <<'PYTHON'
import digitnet as dn
import numpy as np

network = dn.Network([784, 128, 10], activation="relu", seed=1)
probabilities = network.predict_proba(np.zeros((1, 784), np.float32))
assert probabilities.shape == (1, 10) and abs(probabilities.sum() - 1) < 1e-5, probabilities
assert str(dn.shipped_model()).endswith("site-packages/digitnet/models/mnist.safetensors"), dn.shipped_model()
assert dn.Recognizer().recognize([[[10, 10], [60, 12], [25, 90]]]).digit == 7
print("wheel:", dn.__version__, dn.__file__)
PYTHON
"$folder/venv/bin/digitnet" --help >/dev/null
