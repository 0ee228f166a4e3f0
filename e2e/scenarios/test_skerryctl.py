"""What operators see by `skerryctl` on a box and beside the hub: get, top, every form of output, help, completion."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest
import yaml
from cluster import wait
from cluster.binaries import TOP
from cluster.kube import condition

from harness import pods

SECRET = "c3Rvcm0tdGlkZQ=="  # "storm-tide"


@pytest.fixture(scope="module", name="box")
def fixture_box(system):
    """A box with a pod, a ConfigMap, a Secret, and devices of the virtual mapper."""
    system.cloud.start()
    node = system.make_node("edge-1")
    node.broker.configure()
    node.make_mapper("virtual")
    system.add_node("edge-1")
    config, config_mount = pods.volume_from_config_map("settings", "/etc/settings")
    password, password_mount = pods.volume_from_secret("password", "/etc/password")
    system.kubectl.apply(
        pods.config_map("settings", colour="green"), pods.secret("password", word="storm-tide"),
        pods.pod("web", volumes=[config, password], container={"volumeMounts": [config_mount, password_mount]}))
    system.kubectl("apply", "-f", str(TOP / "examples/devices/virtual-room.yaml"))
    system.kubectl.wait_for("pod", "web", "Ready", lambda p: condition(p, "Ready") == "True")
    wait.until("the room to be online", lambda: parsed(system, node, "get", "device", "room-3")["status"]["state"] ==
               "online", 60)
    return node


def run(system, box, *arguments, env=None):
    """A finished `skerryctl` on the box."""
    command = box.host.command(system.binaries["skerryctl"], *arguments)
    if arguments[0] in ("get", "top", "status"):
        command.append(f"--run-dir={box.run_dir}")
    return subprocess.run(command, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          env=env)


def said(system, box, *arguments):
    """Its output, where it ends well."""
    done = run(system, box, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def parsed(system, box, *arguments):
    """Its JSON."""
    done = run(system, box, *arguments, "-o", "json")
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def rows(text):
    """The words of each line of a table below its heading."""
    return [line.split() for line in text.splitlines()[1:]]


def test_get_shows_what_the_box_has(system, box):
    """[ctl-7.1] The columns are kubectl's, and the status is the box's own."""
    text = said(system, box, "get", "pods")
    assert text.splitlines()[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert rows(text)[0][:4] == ["web", "1/1", "Running", "0"]
    wide = said(system, box, "get", "po", "web", "-o", "wide")
    assert wide.split("\n")[0].split()[5:7] == ["IP", "NODE"]
    assert system.kubectl.get("pod", "web")["status"]["podIP"] in wide
    assert rows(said(system, box, "get", "pods", "-A"))[0][:2] == ["default", "web"]
    assert said(system, box, "get", "pods", "-o", "name") == "pod/web\n"
    here, cloud = parsed(system, box, "get", "pod", "web"), system.kubectl.get("pod", "web")
    assert here["metadata"]["uid"] == cloud["metadata"]["uid"]
    assert here["status"]["containerStatuses"] == cloud["status"]["containerStatuses"]
    assert rows(said(system, box, "get", "nodes"))[0][:2] == ["edge-1", "Ready"]
    assert parsed(system, box, "get", "configmap", "settings")["data"] == {"colour": "green"}


def test_values_of_secrets_are_not_shown(system, box):
    """[ctl-7.2] In no form of output; the names of their keys are."""
    for form in ("table", "wide", "name", "json", "yaml"):
        text = said(system, box, "get", "secrets", "-A", "-o", form)
        assert "password" in text and SECRET not in text and "storm-tide" not in text, form
    assert parsed(system, box, "get", "secret", "password")["data"] == {"word": None}


def test_devices_and_their_twins(system, box):
    """[ctl-7.3] On the box by twin-svc, in the cloud by device-controller-svc."""
    row = next(row for row in rows(said(system, box, "get", "devices")) if row[0] == "room-3")
    assert "online" in row, row
    twin = next(twin for twin in parsed(system, box, "get", "device", "room-3")["status"]["twins"]
                if twin["propertyName"] == "target")
    assert twin["reported"]["value"] == "21.00"
    assert any(row[:3] == ["default/room-3", "online", "target"] for row in rows(said(system, box, "get", "twins")))
    cloud = ("get", "--cloud", *system.cloud.operator_flags, f"--controller={system.cloud.devices.addresses['api']}")
    row = next(row for row in rows(system.cloud.skerryctl(*cloud, "devices")) if row[0] == "room-3")
    assert row[1] == "edge-1" and "yes" in row, row
    device = wait.until("the twin in the cloud", lambda: _with_twin(system, cloud), 30)
    assert device["twin"]["properties"]["target"]["reported"]["value"] == "21.00"
    assert "default/room-3" in system.cloud.skerryctl(*cloud, "twins", "room-3")
    assert rows(system.cloud.skerryctl(*cloud, "nodes"))[0][0] == "edge-1"


def _with_twin(system, cloud):
    device = json.loads(system.cloud.skerryctl(*cloud, "device", "room-3", "-o", "json"))
    return device if "reported" in device["twin"]["properties"].get("target", {}) else None


def test_what_is_not_there_is_said(system, box):
    """[ctl-7.4] An unknown name, an unknown kind, an empty namespace."""
    done = run(system, box, "get", "pod", "ghost")
    assert done.returncode == 1 and "OBJECT_UNKNOWN" in done.stderr and "skerryctl get pod -A" in done.stderr
    done = run(system, box, "get", "pdos")
    assert done.returncode == 2 and "did you mean 'pods'?" in done.stderr
    done = run(system, box, "get", "pods", "-n", "empty")
    assert (done.returncode, done.stdout) == (0, "") and "No pods in namespace empty on this box." in done.stderr


def test_get_works_without_the_cloud(system, box):
    """[ctl-7.5] That is its point: hub and API server are away, a container ends, and the box tells of it."""
    system.cloud.stop()
    try:
        wait.until("the link to be down", lambda: not parsed(system, box, "status")["edgehub"]["link"].get(
            "connected", False), 30)
        assert rows(said(system, box, "get", "pods"))[0][:3] == ["web", "1/1", "Running"]
        container = parsed(system, box, "get", "pod", "web")["status"]["containerStatuses"][0]
        box.ctr("task", "kill", "-s", "SIGKILL", container["containerID"].rpartition("/")[2])
        wait.until("the restart", lambda: rows(said(system, box, "get", "pods"))[0][:4] == ["web", "1/1", "Running", "1"],
                   60)
        assert any(row[:2] == ["default/room-3", "online"] for row in rows(said(system, box, "get", "twins")))
        assert "link DOWN" in said(system, box, "top", "--once", "--interval=200ms")
    finally:
        system.cloud.start()


def test_top_shows_the_box(system, box):
    """[ctl-8.1] Link, journal, sync, pods, devices, and the services, by their own processes."""
    wait.until("the link to be up", lambda: parsed(system, box, "status")["edgehub"]["link"].get("connected"), 60)
    view = wait.until("all to be in step", lambda: _in_step(parsed(system, box, "top", "--interval=1s")), 60)
    assert view["node"] == "edge-1" and view["errors"] == {}
    assert view["link"]["connected"] and 0 < view["link"]["rttMilliseconds"] < 1000
    assert view["journal"][0]["class"] == "reports" and view["journal"][0]["bytesMax"] > 0
    web = next(pod for pod in view["pods"] if pod["pod"] == "default/web")
    assert web["status"] == "Running" and web["cpuMillicores"] is not None and web["memoryBytes"] > 10_000
    assert view["devices"].get("online", 0) >= 1
    services = {service["pid"]: service for service in view["services"]}
    for service in box.services:
        assert services[service.pid]["rssBytes"] > 1 << 20, service.name
        assert services[service.pid]["cpuMillicores"] is not None and services[service.pid]["pssBytes"] > 1 << 20
    text = said(system, box, "top", "--once", "--interval=200ms")
    assert "edge-1   link up for " in text and "types in step with the cloud\n" in text and "default/web" in text


def _in_step(view):
    return view if view["sync"] and all(kind["synced"] for kind in view["sync"]) else None


def test_top_shows_for_how_long_a_type_lags(system, box):
    """[ctl-8.1] From when there was a link again, not from the last sync; by edge-meta-svc's own count. Without a link nothing is said to lag."""
    def look():
        view = parsed(system, box, "top", "--interval=200ms")
        return view["link"], next((kind for kind in view["sync"] if kind["type"] == "pods"), {})

    wait.until("pods to be in step", lambda: look()[1].get("synced"), 60)
    system.cloud.controller.kill()
    system.cloud.hub.kill()
    try:
        link, lag = wait.until("the link to be down", lambda: _some_if(look(), lambda seen: not seen[0]["connected"]), 60)
        assert not lag["synced"] and lag["lagSeconds"] == 0
        assert "pods (" not in said(system, box, "top", "--once", "--interval=200ms")
        system.cloud.hub.start()
        link, lag = wait.until("pods to lag", lambda: _some_if(look(), lambda seen: (seen[1].get("lagSeconds") or 0) >= 2), 90)
        assert link["connected"] and not lag["synced"] and lag["lagSeconds"] <= link["forSeconds"] + 1
        assert re.search(r"; behind: .*\bpods \(\d+s\)", said(system, box, "top", "--once", "--interval=200ms"))
        assert box.meta.metric("skerry_edgemeta_sync_behind_seconds", type="pods") >= lag["lagSeconds"] - 5
    finally:
        system.cloud.start()
    wait.until("pods to be in step", lambda: look()[1].get("synced"), 60)
    assert look()[1]["lagSeconds"] == 0


def _some_if(value, holds):
    return value if holds(value) else None


def test_top_counts_what_a_pod_uses(system, box):
    """[ctl-8.2] One that is busy has about a core, or what the machine has left for it."""
    system.kubectl.apply(pods.pod("busy", "while :; do :; done"))
    try:
        wait.until("the busy pod to be seen", lambda: any(
            pod["pod"] == "default/busy" and (pod["cpuMillicores"] or 0) > 50
            for pod in parsed(system, box, "top", "--interval=1s")["pods"]), 60)
    finally:
        system.kubectl("delete", "pod", "busy", "--wait=false")


def test_top_of_the_cloud(system, box):
    """[ctl-8.3] The hub's sessions, with what waits for each."""
    flags = ("top", "--cloud", "--interval=200ms", *system.cloud.operator_flags)
    view = wait.until("the session", lambda: _some(json.loads(system.cloud.skerryctl(*flags, "-o", "json"))), 60)
    session = view["sessions"][0]
    assert session["node"] == box.name and session["pendingBytes"] >= 0
    assert session["pendingBytesPerSecond"] is not None
    assert "edge-1" in system.cloud.skerryctl(*flags, "--once")


def _some(view):
    return view if view["sessions"] else None


def test_top_draws_on_a_terminal(system, box):
    """[ctl-8.4] Again and again, within its size; 'q' ends it and gives the terminal back."""
    # High: it lists the processes of all boxes of this machine, and other scenarios have some.
    pid, terminal = on_terminal([str(system.binaries["skerryctl"]), "top", "--interval=200ms", f"--run-dir={box.run_dir}"],
                                {**os.environ, "TERM": "xterm"}, rows=500)
    try:
        drawn = read_until(terminal, lambda text: text.count("\x1b[H") >= 3)
        assert drawn.startswith("\x1b[?1049h\x1b[?25l") and "edge-1   link up" in drawn and "twin-svc" in drawn
        os.write(terminal, b"q")
        rest = read_until(terminal, lambda text: "\x1b[?1049l" in text)
        assert rest.endswith("\x1b[?25h\x1b[?1049l")
    finally:
        os.close(terminal)
        assert os.waitpid(pid, 0)[1] == 0


def on_terminal(command, env, rows=24, folder=None):
    """A program with a terminal of its own: its id and the terminal. Where it can't be run the child ends: it would be a second pytest."""
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 120, 0, 0))
            os.chdir(folder or ".")
            os.execve(command[0], command, env)
        finally:
            os._exit(127)
    return pid, terminal


def read_until(terminal, enough, timeout=30):
    """What a program has written to its terminal, until that is enough."""
    text, deadline = "", time.monotonic() + timeout
    while not enough(text):
        left = deadline - time.monotonic()
        assert left > 0 and select.select([terminal], [], [], left)[0], f"seen so far: {text!r}"
        text += os.read(terminal, 65536).decode(errors="replace")
    return text


def test_every_command_that_prints_data_has_each_form(system, box):
    """[ctl-9.1] JSON and YAML say the same."""
    hub, device = system.cloud.operator_flags, system.cloud.device_flags
    for command in (("status", f"--run-dir={box.run_dir}"), ("status", "--cloud", *hub), ("token", "list", *hub),
                    ("get", "pods", f"--run-dir={box.run_dir}"), ("doctor", f"--dir={box.config_dir}"),
                    ("device", "enable", "room-3", *device),
                    ("deadletter", "list", f"--router={system.cloud.router.addresses['api']}", *hub[1:])):
        wait.until(f"{command} to have one shape", lambda command=command: same_in_each_form(system.cloud, command), 30)
        assert system.cloud.skerryctl(*command, "-o", "table"), command
    made = yaml.safe_load(system.cloud.skerryctl("token", "create", "--ttl=1m", "-o", "yaml", *hub))
    assert made["token"].count(".") == 2 and made["singleUse"] is False


def shape(value):
    """What does not change between two calls: members, and types of values."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return [shape(member) for member in value]
    return type(value).__name__


def same_in_each_form(cloud, command):
    """Whether JSON and YAML have one shape; what is asked twice may have changed between."""
    as_json, as_yaml = [cloud.skerryctl(*command, "-o", form) for form in ("json", "yaml")]
    return shape(json.loads(as_json)) == shape(yaml.safe_load(as_yaml))


def test_help_and_what_was_meant(system, box):
    """[ctl-9.2] Within 100 columns for every command; unknown words say what was meant."""
    text = said(system, box, "help")
    commands = [line.split("  ")[1] for line in text.splitlines() if line.startswith("  ") and line[2] not in "- "]
    assert {"join", "get", "top", "token create", "device call", "deadletter replay", "completion", "help"} <= set(commands)
    for command in commands:
        text = said(system, box, "help", *command.split())
        assert f"Usage: skerryctl {command}" in text, text
        assert max(len(line) for line in text.splitlines()) <= 100, text
    for line, meant in (("join --cluod x", "--cloud"), ("stauts", "'status'"), ("token lst", "'list'"),
                        ("--hub x status", "give it after 'skerryctl status'"), ("help tokn", "'token'")):
        done = run(system, box, *line.split())
        assert done.returncode == 2 and meant in done.stderr, done.stderr


@pytest.fixture(name="shell_env")
def fixture_shell_env(system, box, tmp_path):
    """Where a shell finds skerryctl, and its scripts."""
    (tmp_path / "skerryctl").symlink_to(system.binaries["skerryctl"])
    for shell in ("bash", "zsh", "fish"):
        (tmp_path / shell).write_text(said(system, box, "completion", shell))
    return {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin", "SCRIPTS": str(tmp_path), "HOME": str(tmp_path),
            "TERM": "xterm", "EDITOR": "", "VISUAL": "", "RUN": str(box.run_dir), "LANG": "C.UTF-8"}


PRINTED = re.compile(r"\n\[(.*)\]\n")


def plain(text):
    """What a terminal is sent, without what moves its cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]", "", text).replace("\r", "")


def typed(shell, line, env):
    """The line as it stands after TAB was pressed at its end."""
    flags = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"]}[shell]
    pid, terminal = on_terminal([f"/usr/bin/{shell}", *flags], env, folder=env["SCRIPTS"])
    try:
        begin = {"bash": "PS1='> '; bind 'set enable-bracketed-paste off'; source $SCRIPTS/bash",
                 "zsh": "unset zle_bracketed_paste; PS1='> '; autoload -Uz compinit; compinit -u -D; source $SCRIPTS/zsh"
                 }[shell]
        os.write(terminal, f"{begin}; echo rea''dy\r".encode())
        read_until(terminal, lambda text: "\nready\n" in plain(text) and plain(text).rstrip().endswith(">"))
        # The line becomes what `echo` prints: ^A goes to its beginning, ^E to its end.
        os.write(terminal, f"{line}\t\x01echo '[\x05]'\r".encode())
        text = read_until(terminal, lambda text: PRINTED.search(plain(text)))
        return PRINTED.search(plain(text)).group(1)
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


CASES = [("skerryctl comp", "skerryctl completion "), ("skerryctl token cr", "skerryctl token create "),
         ("skerryctl join --node-", "skerryctl join --node-name "), ("skerryctl status -o ya", "skerryctl status -o yaml "),
         ("skerryctl status --output=ya", "skerryctl status --output=yaml "),
         ("skerryctl completion fi", "skerryctl completion fish "), ("skerryctl help device ca", "skerryctl help device call ")]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_completes(shell_env, shell):
    """[ctl-9.3] Commands, flags, values, names on this box, files: TAB in the shell itself."""
    run_dir = shell_env["RUN"]
    more = [(f"skerryctl get --run-dir={run_dir} configm", f"skerryctl get --run-dir={run_dir} configmaps "),
            (f"skerryctl get --run-dir {run_dir} pods we", f"skerryctl get --run-dir {run_dir} pods web "),
            ("skerryctl token list --ca zs", "skerryctl token list --ca zsh ")]
    for line, completed in CASES + more:
        # Zsh takes its own space back when the cursor goes.
        assert typed(shell, line, shell_env).rstrip() == completed.rstrip(), line


def test_fish_completes(shell_env):
    """[ctl-9.3] By what fish itself says it would offer."""
    run_dir = shell_env["RUN"]
    more = [(f"skerryctl get --run-dir {run_dir} pods we", "web"), ("skerryctl token list --ca zs", "zsh")]
    for line, completed in CASES + more:
        done = subprocess.run(["fish", "-N", "-c", f"source $SCRIPTS/fish; complete -C '{line}'"], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30, env=shell_env,
                              cwd=shell_env["SCRIPTS"])
        offered = [candidate.split("\t")[0] for candidate in done.stdout.splitlines()]
        assert offered == [completed.split(" ")[-1] or completed.split(" ")[-2]], (line, done.stderr)
