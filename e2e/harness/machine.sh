#!/bin/sh
# machine.sh DIR: the first process of a Machine (machine.py), in mount, PID and network namespaces of its own. /run, /etc and the
# state folders below /var/lib are the machine's own; what it writes there goes to DIR. Then dockerd runs, until the machine is killed.
set -eu
dir=$1
# What others on this machine have mounted would not go when they unmount it.
# Where /run is shared, as systemd makes it, `ip netns` mounts its folder on itself, so that each name in it is mounted twice, one
# covered by the other.
others() { awk '$5 ~ "^/(tmp|run)/" {print $5}' /proc/self/mountinfo | sort -r; }
for _ in 1 2 3; do others | while read -r point; do umount --lazy "$point" 2>/dev/null || true; done; done
[ -z "$(others)" ] || { echo "machine.sh: these can't be unmounted: $(others)" >&2; exit 1; }
for folder in etc var/lib; do
  mkdir -p "$dir/upper/$folder" "$dir/work/$folder"
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$dir/upper/$folder,workdir=$dir/work/$folder" "/$folder"
done
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /var/lib/docker /var/lib/skerry
# An overlay can't lie on an overlay, so docker's data is on the disk itself.
mkdir -p "$dir/docker" "$dir/skerry" "$dir/log"
mount --bind "$dir/docker" /var/lib/docker
mount --bind "$dir/log" /var/log
# Shared, as systemd makes all of a machine's mounts: what edged-svc mounts there, the container runtime sees.
mount --bind "$dir/skerry" /var/lib/skerry
mount --make-rshared /var/lib/skerry
exec dockerd --host "unix://$dir/docker.sock" --host unix:///run/docker.sock --cgroup-parent "/$(basename "$dir")" \
  --log-level warn
