#!/usr/bin/env bash
# Apptainer on Debian 12, whose own suites have none: apptainer.sh PREFIX, then `source PREFIX/env.sh`.
# Debian carries the package in unstable alone, built against a newer libc. It and three libraries are fetched from there by
# apt, which checks their signatures, by a list of sources of their own, and unpacked into PREFIX; two of its programs are
# pointed at these libraries. The system's sources, libc and package database stay as they are.
set -euo pipefail
prefix=$1
export DEBIAN_FRONTEND=noninteractive
[ ! -e "$prefix/env.sh" ] || exit 0

needed=()
for package in patchelf squashfs-tools uidmap ca-certificates; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || needed+=("$package")
done
if [ ${#needed[@]} -gt 0 ]; then
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${needed[@]}" >/dev/null
fi

mirror=$(apt-get indextargets --format '$(SITE)' 'Codename: bookworm' | head -1) # the one that this system uses
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial}
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$work/sources.list"
unstable() {
    apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}
unstable update
(cd "$work" && for package in apptainer libc6 libseccomp2 libsqlite3-0; do unstable download "$package/sid"; done)
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/$(basename "$package" | cut -d_ -f1)"; done

rm -rf "$prefix"
mkdir -p "$prefix/lib/private"
cp -a "$work/apptainer/usr/." "$prefix/"
cp -a "$work/apptainer/etc" "$work/apptainer/var" "$prefix/"
ln -s ../etc "$prefix/lib/etc" # its starter takes PREFIX/lib for its prefix
ln -s ../var "$prefix/lib/var"
libraries=$prefix/lib/private
find "$work/libc6" "$work/libseccomp2" "$work/libsqlite3-0" \( -type f -o -type l \) -name '*.so*' ! -path '*/gconv/*' \
    ! -path '*/audit/*' -exec cp -Lf {} "$libraries/" \;
for program in "$prefix/bin/apptainer" "$prefix/lib/x86_64-linux-gnu/apptainer/bin/starter"; do
    patchelf --force-rpath --set-rpath "$libraries" --set-interpreter "$libraries/ld-linux-x86-64.so.2" "$program"
done

# Where root itself lacks a capability, as in a virtual machine that withholds one, Apptainer must not ask for all of them.
python3 - "$prefix" <<'PYTHON'
import json
import re
import sys
from pathlib import Path

NAMES = """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT
SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE""".split()
prefix = Path(sys.argv[1])
permitted = int(re.search(r"CapPrm:\s*(\w+)", Path("/proc/self/status").read_text())[1], 16)
have = ["CAP_" + name for bit, name in enumerate(NAMES) if permitted >> bit & 1]
missing = ["CAP_" + name for bit, name in enumerate(NAMES) if not permitted >> bit & 1]
if missing:
    path = prefix / "etc" / "apptainer" / "apptainer.conf"
    text, count = re.subn(r"(?m)^root default capabilities = \w+", "root default capabilities = file", path.read_text())
    assert count == 1, "apptainer.conf is not what it was"
    path.write_text(text)
    (path.parent / "capability.json").write_text(json.dumps({"users": {"root": have}, "groups": {}}))
lines = [f"export PATH={prefix}/bin:$PATH"] + [f"export APPTAINER_DROP_CAPS={','.join(missing)}"] * bool(missing)
(prefix / "env.sh").write_text("\n".join(lines) + "\n")
PYTHON
"$prefix/bin/apptainer" --version
