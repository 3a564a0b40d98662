#!/usr/bin/env bash
# Build the image with whichever of apptainer, podman and docker is there: `make image`. By environment:
#   TOOL      one of them instead
#   BASE      another base with Python 3.11, such as your site's own; for apptainer also a folder or a SIF
#   FLAVOUR   cpu (default) or cuda
#   PIP_ARGS  where pip finds that build of torch, such as --extra-index-url …
#   OPTIONS   further options of the tool's build command
set -euo pipefail
cd "$(dirname "$0")/.."

tool=${TOOL:-}
for candidate in apptainer podman docker; do
    [ -n "$tool" ] || ! command -v "$candidate" >/dev/null || tool=$candidate
done
if [ -z "$tool" ]; then
    echo "make image: none of apptainer, podman and docker is here; install one: apptainer on a cluster, podman on a laptop" >&2
    exit 1
fi
version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' workflow/bnbench/__init__.py)
# Git's answer about the repository here, whatever the environment names.
here() { (unset "${!GIT_@}" && git "$@" 2>/dev/null) || true; }

revision=unknown source=
if [ "$(here ls-files --full-name containers/build.sh)" = containers/build.sh ]; then # else the repository is another's
    revision=$(here rev-parse HEAD)
    # What the image takes from here; studies are configs.
    taken=(Snakefile containers workflow ':(exclude)workflow/studies')
    [ -z "$(here -c core.fileMode=false status --porcelain -- "${taken[@]}")" ] || revision=$revision-dirty
    # Where it comes from, if that is public; never a password that stands in the address.
    source=$(here remote get-url origin | sed -nE 's#^https://([^/@]*@)?#https://#p')
fi
arguments=(--build-arg "FLAVOUR=${FLAVOUR:-cpu}" --build-arg "PIP_ARGS=${PIP_ARGS:-}"
    --build-arg "VERSION=$version" --build-arg "REVISION=$revision"
    --build-arg "SOURCE=${source:-unknown}")
[ -z "${BASE:-}" ] || arguments+=(--build-arg "BASE=$BASE")
read -ra options <<<"${OPTIONS:-}"

if [ "$tool" = apptainer ]; then
    [ ! -e "${BASE:-}" ] || arguments+=(--build-arg BOOTSTRAP=localimage)
    # zstd at a high level: a minute more to build, and a tenth less to carry to every node.
    apptainer build --force --mksquashfs-args "-comp zstd -Xcompression-level 15" "${arguments[@]}" "${options[@]}" containers/bnbench.sif containers/bnbench.def
    echo "containers/bnbench.sif: $(stat -c %s containers/bnbench.sif | numfmt --to=iec)"
else
    "$tool" build "${arguments[@]}" "${options[@]}" --tag "bnbench:$version" --tag bnbench:latest \
        --file containers/Containerfile .
fi
