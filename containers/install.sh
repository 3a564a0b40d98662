#!/bin/sh
# What both images do on their base: install what the lock pins, leave nothing of the build behind, and write down what
# was built. Called with pip's own arguments, such as --index-url; FLAVOUR, VERSION and REVISION come by environment.
set -eu
cd "$(dirname "$0")/.."

python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    "$@" --requirement containers/requirements.lock

# The flavour is a matter of where pip finds torch; a wrong one is told of here, not on a cluster.
python - <<'PYTHON'
import os
import sys

import torch

found = "cuda" if torch.version.cuda else "cpu"
if found != os.environ["FLAVOUR"]:
    sys.exit(
        f"FLAVOUR={os.environ['FLAVOUR']}, but pip found the {found} build of torch {torch.__version__}: "
        "name the index that has the other one, PIP_ARGS='--extra-index-url …'"
    )
PYTHON

# On a GPU, Triton builds a launcher for its kernels with a C compiler when a job starts. Jobs can do without.
if [ "$FLAVOUR" = cuda ] && ! command -v gcc >/dev/null && ! command -v clang >/dev/null; then
    if command -v apt-get >/dev/null && apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends gcc libc6-dev >/dev/null; then
        rm -rf /var/lib/apt/lists/*
    else
        echo "warning: no C compiler could be installed, so jobs on GPUs will train without Triton's kernels" >&2
    fi
fi

# A tool that does not stay, for the list of what is in it.
tool=$(mktemp -d)
python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore --quiet \
    "$@" --target "$tool" cyclonedx-bom==7.5.0

# A fifth of it is never run here: tests, what only the building of extensions needs, solvers for other systems, and
# Arrow's network protocol.
site=$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
rm -rf "$site"/torch/test "$site"/torch/include "$site"/torch/share "$site"/pyarrow/include \
    "$site"/pyarrow/tests "$site"/pyarrow/*flight* "$site"/pulp/solverdir/cbc/osx "$site"/pulp/solverdir/cbc/win \
    "$site"/numpy/_core/include "$site"/sympy/*/tests ~/.cache
find "$site"/torch/bin -type f ! -name torch_shm_manager -delete
find "$site" \( -name '*.a' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pyi' \) -delete
find "$site"/pandas "$site"/scipy "$site"/sklearn "$site"/numpy "$site"/matplotlib "$site"/networkx \
    -type d -name tests -prune -exec rm -rf {} +
python -m pip uninstall --quiet --yes --root-user-action=ignore pip

# Packages and their licences; the tool asks this Python, which must not see the tool's own.
printf '#!/bin/sh\nunset PYTHONPATH\nexec python "$@"\n' >"$tool/bare-python"
chmod +x "$tool/bare-python"
PYTHONPATH=$tool python -m cyclonedx_py environment --output-reproducible --output-file sbom.json "$tool/bare-python"
rm -rf "$tool"
python containers/debian_packages.py sbom.json

find workflow -name __pycache__ -prune -exec rm -rf {} +
python -m compileall -q workflow/bnbench
python - <<'PYTHON'
"""The digest of an image: SHA-256 over the path and the content of every file of its Python and of the project."""
import hashlib
import json
import os
import sysconfig
from pathlib import Path

digest = hashlib.sha256()
for root in (Path(sysconfig.get_path("purelib")), Path.cwd()):
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"{path}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
built = {"digest": f"sha256:{digest.hexdigest()}", "revision": os.environ["REVISION"], "flavour": os.environ["FLAVOUR"]}
Path("image.json").write_text(json.dumps(built) + "\n")
PYTHON
