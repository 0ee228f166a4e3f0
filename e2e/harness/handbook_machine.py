"""Machines of a scenario's own: a real systemd, with this machine's packages, a disk, network and cgroups of its own.

The root is an overlay of this machine's, so what is installed here is installed there, and what is written there is gone with it.
/etc/skerry, /var/lib/skerry and /run/skerry begin empty. Machines of a Site are on one network (192.0.2.0/24), which leads nowhere
else: whatever runs there needs no internet. /mnt/stick is the same on all of them: files that people carry. Needs root, and Debian's
systemd.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from cluster import wait
from cluster.binaries import TOP

_CGROUPS = Path("/sys/fs/cgroup")
# What a machine must not have of this one, and units that would change this one's kernel or wait for hardware.
_HIDDEN = ("etc/skerry", "var/lib/skerry", "var/lib/containerd", "var/lib/docker", "etc/cni", "var/lib/cni", "var/log",
           "var/lib/apt/lists")  # What is installed is the newest that apt knows: it needs no mirror for it.
_MASKED = ("systemd-sysctl.service", "systemd-modules-load.service", "systemd-timesyncd.service", "systemd-udevd.service",
           "systemd-udev-trigger.service", "systemd-networkd.service", "systemd-resolved.service", "networking.service",
           "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "dev-hugepages.mount", "dev-mqueue.mount",
           "sys-fs-fuse-connections.mount", "systemd-remount-fs.service", "getty.target")

_BOOT = r"""
set -eu
mount -t tmpfs -o mode=0755 tmpfs "$FOLDER"
cd "$FOLDER"
mkdir upper work root
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work overlay root
cd root
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
for hierarchy in $CGROUPS; do
  mkdir "sys/fs/cgroup/$hierarchy"
  case $hierarchy in
    unified) mount -t cgroup2 cgroup2 sys/fs/cgroup/unified ;;
    systemd) mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd ;;
    *) mount -t cgroup -o "$hierarchy" cgroup "sys/fs/cgroup/$hierarchy" ;;
  esac
done
# The repository, which may be below what is empty on a machine that was just started.
mkdir "$FOLDER/top"
mount --bind ".$TOP" "$FOLDER/top"
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty fuse; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for hidden in $HIDDEN; do
  mkdir -p "$hidden"
  mount -t tmpfs -o mode=755 tmpfs "$hidden"
done
mkdir -p ".$TOP" mnt/stick
mount --move "$FOLDER/top" ".$TOP"
mount --bind "$STICK" mnt/stick
for unit in $MASKED; do ln -sfn /dev/null "etc/systemd/system/$unit"; done
printf '[Unit]\nRequires=basic.target\nAfter=basic.target\n' > etc/systemd/system/machine.target
echo "$NAME" > etc/hostname
hostname "$NAME"
printf '%s' "$HOSTS" > etc/hosts
rm -f etc/resolv.conf etc/fstab
echo 'nameserver 127.0.0.1' > etc/resolv.conf  # Nobody answers, at once.
printf '%s\n' "$MACHINE_ID" > etc/machine-id
rm -f etc/systemd/system/multi-user.target.wants/*skerry*
ip link set lo up
mkdir old
pivot_root . old
umount -l /old
rmdir /old
mount --make-rshared /  # As systemd does where it is not in a container.
exec env -i container=skerry-machine PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd --unit=machine.target --log-target=null --show-status=false
"""


def _run(*argv, **options):
    done = subprocess.run([str(a) for a in argv], text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


_PREFIX = "skerry-vm-"


def _remove_stale():
    """What a run left that was killed: its machines have ended with it, their folders and cgroups have not."""
    for hierarchy in [Path("/tmp"), *(folder for folder in _CGROUPS.iterdir() if folder.is_dir() and not folder.is_symlink())]:
        for path in hierarchy.glob(f"{_PREFIX}*"):
            owner = path.name.removeprefix(_PREFIX).partition("-")[0]
            if owner.isdigit() and not Path(f"/proc/{owner}").exists():
                if hierarchy == Path("/tmp"):
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    _remove_groups(path)


class Machine:
    """One machine, booted by the constructor. `remove()` leaves nothing of it."""

    def __init__(self, name, address, hosts, stick):
        self.name = name
        self.address = address
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir="/tmp"))
        self._cgroups = [_CGROUPS / hierarchy.name / self.folder.name for hierarchy in sorted(_CGROUPS.iterdir())
                         if hierarchy.is_dir() and not hierarchy.is_symlink()]
        for group in self._cgroups:
            group.mkdir()
            if group.parent.name == "cpuset":
                for file in ("cpuset.cpus", "cpuset.mems"):
                    (group / file).write_text((group.parent / file).read_text())
        hosts = "127.0.0.1 localhost\n" + "".join(f"{where} {names}\n" for where, names in hosts.items())
        self._log = open(self.folder / "boot.log", "wb")  # pylint: disable=consider-using-with
        # The child puts itself into the groups before it makes the namespaces, so that they are the roots it sees.
        enter = "".join(f"echo $$ > {group}/cgroup.procs\n" for group in self._cgroups)
        self._unshare = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "bash", "-c", enter + "exec unshare --mount --propagation private --pid --fork "
             "--kill-child --net --uts --ipc --cgroup bash -c \"$BOOT\""],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, start_new_session=True,
            env={"PATH": os.environ["PATH"], "BOOT": _BOOT, "FOLDER": str(self.folder), "NAME": name, "HOSTS": hosts, "STICK": str(stick), "TOP": str(TOP),
                 "MACHINE_ID": os.urandom(16).hex(), "HIDDEN": " ".join(_HIDDEN), "MASKED": " ".join(_MASKED),
                 "CGROUPS": " ".join(group.parent.name for group in self._cgroups)})
        try:
            self.pid = wait.until("the first process", self._first_process, 20)
            wait.until(f"machine {name} to boot", self._booted, 60)
        except wait.TimedOut as error:
            log = (self.folder / "boot.log").read_text(errors="replace")
            self.remove()
            raise RuntimeError(f"{error}\n{log}") from None

    def _first_process(self):
        if self._unshare.poll() is not None:
            raise wait.TimedOut(f"it ended with {self._unshare.returncode}")
        children = Path(f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def _booted(self):
        if self._unshare.poll() is not None:
            raise wait.TimedOut(f"it ended with {self._unshare.returncode}")
        done = subprocess.run(self.command("systemctl", "is-active", "machine.target"), text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20)
        return done.stdout.strip() == "active"

    def command(self, *argv):
        """The command line that runs `argv` there."""
        return ["nsenter", "-t", str(self.pid), "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup",
                f"--root=/proc/{self.pid}/root", "--", "env", "--chdir=/", *map(str, argv)]

    def run(self, *argv, **options):
        """What it prints; RuntimeError where it fails."""
        return _run(*self.command(*argv), **options)

    def path(self, path):
        """A file of the machine, seen from here: on an overlay that only the machine has mounted, but while it runs."""
        return Path(f"/proc/{self.pid}/root") / str(path).lstrip("/")

    def describe(self):
        """What failed, and the end of the journal."""
        parts = []
        for argv in (("systemctl", "--failed", "--no-legend", "--plain"), ("journalctl", "--no-pager", "-n", "80", "-o", "cat")):
            done = subprocess.run(self.command(*argv), text=True, check=False, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=30)
            parts.append(f"== {self.name}: {' '.join(argv)}\n{done.stdout[-20000:]}")
        return "\n".join(parts)

    def remove(self):
        """As a power cut; then the cgroups and the folder."""
        if self._unshare.poll() is None:
            os.kill(self._unshare.pid, signal.SIGKILL)  # --kill-child: the first process goes with it, and so do all.
        self._unshare.wait()
        self._log.close()
        for group in self._cgroups:
            wait.until(f"{group} to be empty", lambda group=group: _remove_groups(group), 20)
        shutil.rmtree(self.folder, ignore_errors=True)


def _remove_groups(group):
    """Deepest first; False while a process is in one of them."""
    for folder, _, _ in sorted(os.walk(group), key=lambda entry: entry[0].count("/"), reverse=True):
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            pass
        except OSError:
            return False
    return True


class Site:
    """Machines that reach each other by name: {name: (last byte of the address, further names)}."""

    def __init__(self, machines):
        _remove_stale()
        self.machines = {}
        self._switch = None
        self._stick = tempfile.mkdtemp(prefix="skerry-stick-", dir="/tmp")
        hosts = {f"192.0.2.{last}": " ".join([name, *names]) for name, (last, *names) in machines.items()}
        try:
            # The switch: a namespace with a bridge, held by a process.
            self._switch = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"])
            wait.until("the switch", lambda: os.readlink(f"/proc/{self._switch.pid}/ns/net") != os.readlink("/proc/self/ns/net"), 10)
            self._in_switch("link", "add", "bridge0", "type", "bridge")
            self._in_switch("link", "set", "bridge0", "up")
            for name, (last, *_) in machines.items():
                self._add(name, f"192.0.2.{last}", hosts)
        except BaseException:
            self.close()
            raise

    def _in_switch(self, *arguments):
        return _run("nsenter", "-t", self._switch.pid, "--net", "--", "ip", *arguments)

    def _add(self, name, address, hosts):
        machine = Machine(name, address, hosts, self._stick)
        self.machines[name] = machine
        port = f"port{len(self.machines)}"
        self._in_switch("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(machine.pid))
        self._in_switch("link", "set", port, "master", "bridge0", "up")
        machine.run("ip", "address", "add", f"{address}/24", "dev", "eth0")
        machine.run("ip", "link", "set", "eth0", "up")
        # A default route, as every machine has; it leads nowhere.
        machine.run("ip", "route", "add", "default", "via", "192.0.2.1")

    def __getitem__(self, name):
        return self.machines[name]

    def describe(self):
        """Of all machines."""
        return "\n".join(machine.describe() for machine in self.machines.values())

    def close(self):
        """Leaves nothing."""
        for machine in self.machines.values():
            machine.remove()
        if self._switch is not None:
            self._switch.kill()
            self._switch.wait()
        shutil.rmtree(self._stick)
