#!/bin/sh
# Does the image work? A tiny study from training to its page, in a folder that is removed again.
set -eu
home=$(dirname "$(dirname "$(readlink -f "$0")")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export HOME="$work"
printf 'study: smoke\nhidden: [8]\nepochs: 20\nseeds: 6\nbatch_size: [full]\noptimizer: [{name: adam, lr: 0.01}]\n' >config.yaml
python -m snakemake --snakefile "$home/Snakefile" --cores 1 --quiet all
test -s reports/smoke/index.html
echo "the image works: $(cat "$home/image.json")"
