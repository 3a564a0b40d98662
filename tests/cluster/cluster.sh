#!/usr/bin/env bash
# A real SLURM cluster on this machine, for the tests; Debian 12, as root.
#   cluster.sh install   install SLURM's packages where they are missing
#   cluster.sh start     start munged, slurmctld and two slurmd, each by its pid
#   cluster.sh halt      stop slurmctld alone
#   cluster.sh resume    start it again; with -c, without a memory of any job
#   cluster.sh stop      stop them all by these pids
# All it writes lies under $CLUSTER_STATE, but for two links in /etc/slurm, where a job looks for its configuration.
set -euo pipefail
cd "$(dirname "$0")"
export LC_ALL=C
state=${CLUSTER_STATE:?names the folder for all that the cluster writes}
run=$state/run log=$state/log

die() { echo "cluster.sh: $*" >&2; exit 1; }

alive() { [ -s "$run/$1.pid" ] && kill -0 "$(cat "$run/$1.pid")" 2>/dev/null; }

# spawn NAME COMMAND…: in a session of its own, its pid kept
spawn() {
    local name=$1
    shift
    alive "$name" && return
    setsid "$@" >"$log/$name.out" 2>&1 </dev/null &
    echo $! >"$run/$name.pid"
}

# wait_for SECONDS COMMAND…: until it succeeds
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}

nodes_up() { [ "$(sinfo -h -N -o %T | grep -cE '^(idle|mixed|allocated)$')" -ge 2 ]; }

install_packages() {
    local packages="slurmctld slurmd slurm-client munge"
    # shellcheck disable=SC2086
    dpkg-query -W $packages >/dev/null 2>&1 && return
    [ "$(id -u)" = 0 ] || die "missing: $packages; install them as root"
    # The packages would start their daemons at once.
    [ -e /usr/sbin/policy-rc.d ] || install -m 755 /dev/stdin /usr/sbin/policy-rc.d <<<$'#!/bin/sh\nexit 101'
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
}

configure() {
    local file
    mkdir -p "$state"/{etc,run,log,ctld,cpu01,gpu01,dev} /etc/slurm
    for file in slurm.conf gres.conf; do
        sed -e "s|@HOST@|$(hostname -s)|; s|@STATE@|$state|" "$file.in" >"$state/etc/$file"
        [ ! -e "/etc/slurm/$file" ] || [ -L "/etc/slurm/$file" ] || die "/etc/slurm/$file is there, and not ours"
        ln -sfn "$state/etc/$file" "/etc/slurm/$file"
    done
    # A GPU must have a file. SLURM sets CUDA_VISIBLE_DEVICES only for character devices, which nobody opens.
    for file in 0 1; do
        [ -e "$state/dev/nvidia$file" ] || mknod "$state/dev/nvidia$file" c 195 "$file" 2>/dev/null || touch "$state/dev/nvidia$file"
    done
}

start() {
    alive slurmctld || rm -rf "$state"/{ctld,cpu01,gpu01} # no queue and no drained node of the last time
    configure
    install -d -o munge -g munge -m 0755 /run/munge
    install -d -o munge -g munge -m 0700 /var/lib/munge /var/log/munge
    local as_munge=(setpriv --reuid=munge --regid=munge --clear-groups)
    [ -s /etc/munge/munge.key ] || "${as_munge[@]}" mungekey --create
    spawn munged "${as_munge[@]}" munged --foreground --log-file=/var/log/munge/munged.log
    wait_for 60 munge -n || die "munged does not start: $(tail -3 "$log/munged.out")"
    spawn slurmctld slurmctld -D
    wait_for 120 scontrol ping || die "slurmctld does not start: $(tail -3 "$log/slurmctld.out")"
    spawn slurmd-cpu01 slurmd -D -N cpu01
    spawn slurmd-gpu01 slurmd -D -N gpu01
    wait_for 120 nodes_up || die "the nodes do not come up: $(sinfo -N -l)"
}

# end NAME: by its pid
end() {
    local pid
    if alive "$1"; then
        pid=$(cat "$run/$1.pid")
        kill "$pid"
        wait_for 30 eval "! kill -0 $pid" || kill -9 "$pid"
    fi
    rm -f "$run/$1.pid"
}

# resume [-c]
resume() {
    spawn slurmctld slurmctld -D "$@"
    wait_for 120 scontrol ping || die "slurmctld does not start: $(tail -3 "$log/slurmctld.out")"
    wait_for 120 nodes_up || die "the nodes do not come up: $(sinfo -N -l)"
}

stop() {
    local name file
    if alive slurmctld; then
        scancel --signal=KILL --full --user="$(id -un)" || true
        scancel --user="$(id -un)" || true
        wait_for 30 eval '[ -z "$(squeue -h)" ]' || true
    fi
    for name in slurmd-gpu01 slurmd-cpu01 slurmctld munged; do
        end "$name"
    done
    for file in slurm.conf gres.conf; do
        [ "$(readlink "/etc/slurm/$file")" != "$state/etc/$file" ] || rm "/etc/slurm/$file"
    done
}

case ${1:-} in
    install) install_packages ;;
    start) start ;;
    halt) end slurmctld ;;
    resume) resume "${@:2}" ;;
    stop) stop ;;
    *) die "say install, start, halt, resume or stop" ;;
esac
