#!/usr/bin/env bash
# A local base image in place of the registry's: base.sh ROOT FOLDER…. Debian 12's minimal root file system with Python 3.11, from
# Debian's packages alone, with the folders FOLDER… to which a build mounts what pip is set up with on this machine.
set -euo pipefail
folder=$1
shift
[ ! -e "$folder/etc/os-release" ] || exit 0
command -v mmdebstrap >/dev/null || {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
}
mirror=$(apt-get indextargets --format '$(SITE)' 'Codename: bookworm' | head -1)
mounts=$(printf ' "$1%s"' "$@")
mmdebstrap --quiet --variant=apt --include=python3,python3-pip,ca-certificates \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='ln -s python3 "$1/usr/bin/python"' \
    --customize-hook='rm -rf "$1"/usr/lib/python3*/EXTERNALLY-MANAGED "$1"/var/cache/apt/*.bin "$1"/var/lib/apt/lists/*' \
    --customize-hook=': >"$1/etc/resolv.conf"; : >"$1/etc/pip.conf"; rm -f "$1/etc/hostname"' \
    --customize-hook="mkdir -p \"\$1/work\" $mounts" \
    bookworm "$folder" "$mirror"
