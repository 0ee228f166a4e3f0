"""What tools/quickstart does once everything is built."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# pylint: disable=wrong-import-position
from cluster import binaries, wait  # noqa: E402
from cluster.binaries import TOP  # noqa: E402
from cluster.cluster import Cluster  # noqa: E402
from cluster.kube import condition  # noqa: E402

ROOT = TOP / ".skerry"
NODE = "edge-1"
EXAMPLE = TOP / "examples/hello-edge.yaml"
DEVICES = TOP / "examples/devices/virtual-room.yaml"


def say(text):
    """One line with the time of day."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def environment(cluster):
    """Endpoints, certificates, sockets and logs by name, as shell variables."""
    cloud, node = cluster.cloud, cluster.nodes[NODE]
    variables = {
        "KUBECONFIG": ROOT / "kubeconfig",
        "SKERRY_KUBECTL": binaries.kubectl(),
        "SKERRY_API": f"https://{cloud.api.addresses['api']}",
        "SKERRY_HUB": cloud.hub.addresses["api"],
        "SKERRY_HUB_LINK": cloud.hub.addresses["link"],
        "SKERRY_HUB_JOIN": cloud.join_address,
        "SKERRY_CA": cloud.clients / "ca.crt",
        "SKERRY_CERT": cloud.clients / "operator.crt",
        "SKERRY_KEY": cloud.clients / "operator.key",
        "SKERRY_CONTROLLER_KUBECONFIG": cloud.kubeconfigs / "edge-controller.kubeconfig",
        "SKERRY_CONTROLLER_CERT": cloud.clients / "edge-controller.crt",
        "SKERRY_CONTROLLER_KEY": cloud.clients / "edge-controller.key",
        "SKERRY_DEVICE_CONTROLLER": cloud.devices.addresses["api"],
        "SKERRY_ROUTER": cloud.router.addresses["api"],
        "SKERRY_ROUTER_REST": f"https://{cloud.router.addresses['rest']}",
        "SKERRY_NODE": node.name,
        "SKERRY_NODE_RUN_DIR": node.run_dir,
        "SKERRY_NODE_STATE_DIR": node.state_dir,
        "SKERRY_NODE_CA": node.config_dir / "ca.crt",
        "SKERRY_NODE_IDENTITY": node.identity,
        "SKERRY_SOCKET_EDGEHUB": node.run_dir / "edgehub.sock",
        "SKERRY_SOCKET_EDGE_META": node.run_dir / "edge-meta.sock",
        "SKERRY_SOCKET_EDGED": node.run_dir / "edged.sock",
        "SKERRY_SOCKET_TWIN": node.run_dir / "twin.sock",
        "SKERRY_MQTT_PORT": node.broker.port,
        "SKERRY_SOCKET_CONTAINERD": node.containerd_dir / "run/containerd.sock",
        "SKERRY_BIN_DIR": cluster.binaries.folder,
    }
    for _, service in cluster.services():
        name = service.name.removesuffix("-svc").replace("-", "_").upper()
        variables[f"SKERRY_OPS_{name}"] = f"http://{service.addresses['ops']}"
        variables[f"SKERRY_PID_{name}"] = service.pid
        variables[f"SKERRY_LOG_{name}"] = service.log
    lines = [f"export {name}='{value}'\n" for name, value in variables.items()]
    return "".join(lines) + f"PATH='{Path(binaries.kubectl()).parent}:{cluster.binaries.folder / 'tools/skerryctl'}':$PATH\n"


def start(cluster):
    """Starts what does not run of a cloud half and a box with a broker and a mapper, and joins it."""
    say("cloud half: standalone-api-svc, cloudhub-svc, edge-controller-svc, device-controller-svc, router-svc")
    cluster.cloud.start()
    say(f"edge node {NODE}: join with a token over mTLS, private containerd and mosquitto, edgehub-svc, edge-meta-svc, "
        "twin-svc, edged-svc, eventbus-svc, servicebus-svc, virtual-mapper")
    node = cluster.nodes.get(NODE) or cluster.make_node(NODE)
    node.broker.configure()
    node.make_mapper("virtual")
    cluster.add_node(NODE)


def run_pod(cluster):
    """Applies the example; the pod once it is ready."""
    say(f"kubectl apply -f {EXAMPLE.relative_to(TOP)}")
    cluster.kubectl("apply", "-f", str(EXAMPLE))
    return cluster.kubectl.wait_for("pod", "hello-edge", "Running and Ready", lambda p: condition(p, "Ready") == "True", 120)


def up():
    """Starts what does not run, joins, applies the examples, shows them."""
    started = time.monotonic()
    ROOT.mkdir(exist_ok=True)
    cluster = Cluster(ROOT, fixed_ports=True)
    start(cluster)
    shutil.copy(cluster.cloud.admin_kubeconfig, ROOT / "kubeconfig")
    (ROOT / "env").write_text("# Written by tools/quickstart: . .skerry/env\n" + environment(cluster))
    pod = run_pod(cluster)
    say(f"the pod runs, {time.monotonic() - started:.0f} s after the start")
    page = wait.until("the pod's page", lambda: subprocess.run(
        ["curl", "-fsS", "--max-time", "3", f"http://{pod['status']['podIP']}:8080/"], text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout, 20)
    print(f"\n$ curl http://{pod['status']['podIP']}:8080/\n{page.strip()}")
    print(f"\n$ kubectl get pods,nodes -o wide\n{cluster.kubectl('get', 'pods,nodes', '-o', 'wide')}")
    show_devices(cluster)
    print(f"""Try next:
  . .skerry/env                                  # KUBECONFIG and every endpoint, certificate, socket and log by name
  kubectl edit configmap hello-page              # the page changes within a minute, the container is not restarted
  kubectl delete pod hello-edge                  # and apply it again: kubectl apply -f {EXAMPLE.relative_to(TOP)}
  kubectl get devicestatus room-3 -o yaml        # a thermometer, and skerryctl device call lamp-3 toggle: a lamp
  mosquitto_sub -p $SKERRY_MQTT_PORT -v -t '$hw/events/#'   # KubeEdge's topics on the box
  kill -9 $SKERRY_PID_CLOUDHUB                   # the cloud is gone; the page is still served
  tools/quickstart                               # starts again what does not run
  skerryctl status --run-dir $SKERRY_NODE_RUN_DIR # the box's own view; with --cloud: the hub's
  tools/quickstart --status
  tools/quickstart --down                        # stops everything and leaves nothing of it behind""")


def reported(kubectl, device):
    """{property: value} that a device has reported."""
    twins = kubectl.get("devicestatus", device).get("status", {}).get("twins", [])
    return {twin["propertyName"]: twin["reported"]["value"] for twin in twins if "reported" in twin}


def show_devices(cluster):
    """A thermometer that follows its target, and a lamp that is switched by a call."""
    kubectl = cluster.kubectl
    say(f"kubectl apply -f {DEVICES.relative_to(TOP)}: a thermometer and a lamp behind the box's virtual mapper")
    kubectl("apply", "-f", str(DEVICES))
    wait.until("the thermometer to report", lambda: "temperature" in reported(kubectl, "room-3"), 60)
    target = "27" if reported(kubectl, "room-3").get("target") == "23.00" else "23"
    patch = f'[{{"op":"replace","path":"/spec/properties/1/desired/value","value":"{target}"}}]'
    print(f"\n$ kubectl patch device room-3 --type=json -p '{patch}'")
    print(kubectl("patch", "device", "room-3", "--type=json", "-p", patch).strip())
    deadline, last = time.monotonic() + 20, None
    while time.monotonic() < deadline:
        now = reported(kubectl, "room-3")
        if now != last:
            print(f"  room-3 reports target {now.get('target')}, temperature {now.get('temperature')}", flush=True)
            last = now
        if now.get("target") == f"{target}.00" and abs(float(now["temperature"]) - float(target)) < 1:
            break
        time.sleep(0.5)
    wait.until("the thermometer to obey", lambda: reported(kubectl, "room-3").get("target") == f"{target}.00", 20)
    wait.until("the lamp to report", lambda: "on" in reported(kubectl, "lamp-3"), 60)
    print("\n$ skerryctl device call lamp-3 toggle")
    print(cluster.cloud.skerryctl("device", "call", "lamp-3", "toggle", *cluster.cloud.device_flags).strip() + "\n")


def status():
    """What runs, and what Kubernetes says of it."""
    if not (ROOT / "cloud").exists():
        print("Nothing runs: start it with tools/quickstart")
        return 1
    cluster = Cluster(ROOT)
    all_ready = True
    for half, service in cluster.services():
        pid = service.pid
        ready = pid is not None and service.ready()
        all_ready = all_ready and ready
        state = "ready" if ready else "running, not ready" if pid else "not running"
        print(f"{half:8} {service.name:20} {state:20} pid {pid or '-':<8} log {service.log.relative_to(TOP)}")
    try:
        print("\n" + cluster.kubectl("get", "nodes,pods", "-A", "-o", "wide"))
    except RuntimeError as error:
        print(f"\n{error}")
        all_ready = False
    return 0 if all_ready else 1


def down():
    """Stops everything and removes .skerry/ but for what tools/dev/install fetched: it would be fetched again."""
    if ROOT.exists():
        Cluster(ROOT).remove(keep={"tools"})
    print("Everything is stopped. Of .skerry/ there is what was fetched: .skerry/tools." if ROOT.exists() else
          "Everything is stopped, and .skerry/ is gone.")


def main():
    """Runs one of the commands."""
    command = sys.argv[1] if len(sys.argv) == 2 else ""
    try:
        if command == "labels":
            print(" ".join(binaries.labels()))
        elif command == "up":
            up()
        elif command == "status":
            return status()
        elif command == "down":
            down()
        else:
            print("usage: quickstart.py labels|up|status|down", file=sys.stderr)
            return 2
    except (RuntimeError, AssertionError, OSError, subprocess.SubprocessError) as error:
        print(f"\nquickstart: {error}\nLogs are in {os.path.relpath(ROOT / 'logs')}/; mend the cause and run "
              "tools/quickstart again.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
