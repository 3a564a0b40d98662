#!/bin/sh
# The whole pipeline inside the image: Snakemake with the image's workflow, in the folder that it was started in.
set -eu
home=$(dirname "$(dirname "$(readlink -f "$0")")")

# Snakemake keeps a cache in the home folder, which an image may lack or may not write to. For a user whom the image does
# not know, podman takes the folder of the study for it.
if [ ! -w "${HOME:-/}" ] || { [ "$HOME" = "$PWD" ] && [ -z "${APPTAINER_CONTAINER:-}" ]; }; then
    HOME=$(mktemp -d)
    export HOME
fi
case "${1:-}" in
    test) exec "$home/containers/smoke.sh" ;;
    bnbench) shift && exec python -m bnbench "$@" ;;
esac
# A study of one's own is `config.yaml` here, or what --configfile names; the default one lies in the image.
case " $* " in
    *" --configfile "* | *" --configfiles "*) ;;
    *) [ -e config.yaml ] || set -- "$@" --configfile "$home/config.yaml" ;;
esac
exec python -m snakemake --snakefile "$home/Snakefile" "$@"
