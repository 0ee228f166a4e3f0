"""The system from its images and compose files, on two machines with docker: docs/ops/box.md, followed to the letter."""

import json
import os
import subprocess
import time

import pytest
from cluster import wait
from cluster.binaries import TOP
from cluster.kube import container
from harness import devices, images, pods
from harness.compose import CLOUD_IMAGES, DOCKER_RUNTIME, EDGE, EDGE_IMAGES, NODE, ONE_PROCESS, TRIAL, VERSION, ComposedSystem
from harness.machine import COMPOSE

TOPIC = "$hw/events/device/default/counter-1/twin/update"
IMAGE_BYTES_MAX = 60_000_000


@pytest.fixture(scope="module", name="system")
def fixture_system(request):
    """All up, with a pod, a device of the virtual mapper and one that speaks MQTT."""
    system = ComposedSystem(request.module.__name__)
    try:
        system.start()
        system.join()
        system.box_up(by=2)
        system.start_mapper()
        system.wait_ready()
        system.kubectl.apply(
            pods.config_map("settings", greeting="hello"), web(),
            devices.model("counter", ("count", "INT", "ReadOnly")), devices.device("counter-1", "counter", NODE, count=None))
        system.kubectl("apply", "-f", str(TOP / "examples/devices/virtual-room.yaml"))
        yield system
    finally:
        system.close()


def web():
    """A pod that says that it runs, and serves a ConfigMap on its localhost."""
    volume, mount = pods.volume_from_config_map("settings", "/settings")
    return pods.pod("web", "echo it runs; httpd -f -p 127.0.0.1:8080 -h /settings", volumes=[volume],
                    container={"volumeMounts": [mount]})


def check_streams(system, greeting):
    """Logs, exec and port-forward of the pod."""
    assert wait.until("the log", lambda: system.kubectl("logs", "web"), 20) == "it runs\n"
    assert system.kubectl("exec", "web", "--", "cat", "/settings/greeting") == greeting
    assert wait.until("the server", lambda: system.fetch_through("web", 8080, "greeting"), 20) == greeting


def await_reported(system, name, timeout=60, **values):
    """Until these values of a device are in its DeviceStatus."""
    return wait.until(f"{name} to report {values}", lambda: {
        key: devices.reported(system.kubectl, name).get(key) for key in values} == values, timeout, 0.3)


def count(system, *numbers):
    """The MQTT device reports these numbers."""
    system.publish(TOPIC, *(json.dumps({"event_id": f"c{number}", "timestamp": 1, "twin": {"count": {"actual": {
        "value": str(number)}}}}) for number in numbers))


def counted(system):
    """Readings of the MQTT device in the cloud: all numbers above zero, the oldest first."""
    api = system.device_api()
    try:
        return [int(value) for _, value in api.readings("counter-1", "count") if value != "0"]
    finally:
        api.close()


def await_counted(system, first, last):
    """Until the readings of an outage are in the cloud; then each has to be there once, in order."""
    await_reported(system, "counter-1", timeout=90, count=str(last))
    wait.until("all readings", lambda: last in counted(system), 30, 0.5)
    numbers = [number for number in counted(system) if first <= number <= last]
    assert numbers == list(range(first, last + 1))


def pod_running(system):
    """The pod, as soon as it runs."""
    return system.kubectl.wait_for("pod", "web", "Running and ready", lambda pod: pod["status"]["phase"] == "Running" and
                                   container(pod).get("ready"), 60)


@pytest.mark.parametrize("version", COMPOSE)
@pytest.mark.parametrize("file", [TRIAL, EDGE, ONE_PROCESS, DOCKER_RUNTIME], ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_compose_file_is_one_for_both(file, version, tmp_path):
    """Neither version of docker-compose has anything to say about it, and both would of a misspelt word."""
    below = ["-f", EDGE] if file == DOCKER_RUNTIME else []  # It is laid over that.

    def check(path):
        done = subprocess.run([COMPOSE[version], *below, "-f", path, "config", "-q"], text=True, check=False, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none"})
        return done.returncode, done.stdout

    assert check(file) == (0, "")
    misspelt = tmp_path / "misspelt.yml"
    misspelt.write_text(file.read_text().replace(" volumes:", " volumse:"))
    code, said = check(misspelt)
    assert code != 0 and "volumse" in said, said


def test_images(system):
    """Made twice, each time from the binaries alone and by two versions of Docker, what is in their layers is the same to the byte. No image
    is root's but those that mount pods' volumes."""
    assert [machine.docker("version", "--format", "{{.Server.Version}}")[:2] for machine in (system.cloud, system.box)] == ["20", "26"]
    layers = [images.layers(machine, f"skerry/skerryctl:{VERSION}", system.folder) for machine in (system.cloud, system.box)]
    assert layers[0] == layers[1] and len(layers[0]) == 4 and all(layers[0]), layers
    for machine, names in ((system.cloud, CLOUD_IMAGES), (system.box, EDGE_IMAGES)):
        for name in names:
            image = machine.inspect(f"skerry/{name}:{VERSION}")
            assert image["Size"] < IMAGE_BYTES_MAX, name
            assert image["Config"]["User"] == {"edged-svc": "0:0", "skerry-edge": "0:65532"}.get(name, "65532:65532"), name


def test_all_services_are_healthy(system):
    """By the health checks that the images have; the link and the Node's heartbeat stand."""
    system.wait_healthy(system.cloud, 6)
    system.wait_healthy(system.box, 8)
    for machine in (system.cloud, system.box):
        for name, found in machine.containers().items():
            assert found["RestartCount"] == 0 and not found["State"]["OOMKilled"], name
        check_settings(machine)


def check_settings(machine):
    """What keeps one container from harming the others, and the machine's disk from being filled: the same for all."""
    for name, found in machine.containers().items():
        used, limit = machine.memory_mb(found)
        print(f"{name:32} PSS {used:6.1f} MB of {limit:.0f}")
        assert 0 < used < limit / 2, name
        host = found["HostConfig"]
        assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "5m", "max-file": "3"}}, name
        assert host["RestartPolicy"]["Name"] == "unless-stopped", name
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["Privileged"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert found["State"]["Health"]["Status"] == "healthy", name


def test_a_pod(system):
    """Runs, with what edged-svc mounts for it from its container, and kubectl gets at it."""
    pod_running(system)
    check_streams(system, "hello")
    change_greeting(system, "good-bye")


def change_greeting(system, greeting):
    """The ConfigMap; until the pod has it."""
    system.kubectl.apply(pods.config_map("settings", greeting=greeting))
    wait.until("the changed file", lambda: system.kubectl("exec", "web", "--", "cat", "/settings/greeting") == greeting, 60, 0.5)


def test_devices(system):
    """The mapper's device obeys kubectl and reports; the broker's device is heard."""
    await_reported(system, "room-3", target="21.00")
    devices.desire(system.kubectl, "room-3", "target", "25")
    await_reported(system, "room-3", target="25.00")
    wait.until("the box to know the counter", lambda: count(system, 0) or
               devices.reported(system.kubectl, "counter-1").get("count") == "0", 60, 0.5)


def check_skerryctl(system, *over, by, services):
    """What box.md says of looking at a box, where a pod and two devices are: doctor, status, top, get, bundle."""
    def ctl(*argv, **options):
        return system.skerryctl(*argv, over=over, by=by, **options)

    found = json.loads(ctl("doctor", "-o", "json"))
    assert found["findings"] == [] and {check["result"] for check in found["checks"]} == {"ok"}, found
    assert json.loads(ctl("status", "--check", "-o", "json"))["healthy"]
    pods_line, = [line for line in ctl("get", "pods").splitlines() if line.startswith("web ")]
    assert pods_line.split()[1:4] == ["1/1", "Running", "0"]
    assert "room-3" in ctl("get", "devices")
    top = json.loads(ctl("top", "--once", "-o", "json"))
    assert {each["service"] for each in top["services"]} == services
    assert top["link"]["rttMilliseconds"] > 0
    for each in top["services"]:
        assert each["rssBytes"] > 0 and each["pssBytes"] > 0, each
    ctl("bundle", "--out", "/out/box.tar.gz", "--ops", "edgehub-svc=127.0.0.1:9101", options=("-v", "/root:/out"))
    names = system.box.run("tar", "-tzf", "/root/box.tar.gz").split()
    assert {"doctor.json", "status.json", "metrics/edgehub-svc.txt", "config/edged.yaml"} <= set(names)
    assert "MISSING" not in system.box.run("tar", "-xzOf", "/root/box.tar.gz", "MANIFEST")
    assert system.box.run("stat", "-c", "%a", "/root/box.tar.gz").strip() == "600"


SIX = {"edgehub-svc", "edge-meta-svc", "edged-svc", "twin-svc", "eventbus-svc", "servicebus-svc", "virtual-mapper"}


def test_skerryctl_on_the_box(system):
    """By either version of docker-compose; and, of a token, before there is anything on the box."""
    found = json.loads(system.box.docker(
        "run", "--rm", "--network", "host", "-e", f"SKERRY_JOIN_TOKEN={system.create_token()}", f"skerry/skerryctl:{VERSION}",
        "doctor", "--cloud", system.join_url, "--node-name", NODE, "-o", "json"))
    assert found["findings"] == [] and {"check": "token", "result": "ok"} in found["checks"]
    pod_running(system)
    check_skerryctl(system, by=1, services=SIX)
    check_skerryctl(system, by=2, services=SIX)


def test_killed_services_come_back(system):
    """All containers of the box at once, as after a power cut but for the pods: Docker starts them again, and they go on."""
    before = container(pod_running(system))
    system.box.run("kill", "-KILL", *(str(found["State"]["Pid"]) for found in system.box.containers().values()))
    wait.until("all to be started again", lambda: all(
        found["RestartCount"] >= 1 for found in system.box.containers().values()), 60, 0.5)
    system.wait_healthy(system.box, 8)
    devices.desire(system.kubectl, "room-3", "target", "24")
    await_reported(system, "room-3", target="24.00")
    devices.desire(system.kubectl, "room-3", "target", "25")
    await_reported(system, "room-3", target="25.00")
    after = container(pod_running(system))
    assert (after["containerID"], after["restartCount"]) == (before["containerID"], 0)


def test_down_and_up_again_lose_nothing(system):
    """Both halves' containers are removed and made anew, by the other version of docker-compose than made them. The pod runs all the while;
    what the device said without the cloud arrives when all is back; the twin is as it was."""
    before = container(pod_running(system))
    system.cloud_down(by=2)
    count(system, *range(1, 101))
    system.box_down(by=1)
    assert set(system.box.containers()) == {"virtual-mapper"} and not system.cloud.containers()
    system.box_up(by=1)
    system.cloud_up(by=2)
    system.wait_healthy(system.box, 8)
    system.wait_ready()
    await_counted(system, 1, 100)
    await_reported(system, "room-3", target="25.00")
    after = container(pod_running(system))
    assert (after["containerID"], after["restartCount"], after["state"]) == (before["containerID"], 0, before["state"])
    assert system.kubectl("exec", "web", "--", "cat", "/settings/greeting") == "good-bye"


CUT_SECONDS = 20
CUT_UPDATES = 200


def test_a_cut_of_the_boxs_network(system):
    """Nothing goes through for a while, and nobody is told so; the device speaks on. All of it arrives, once and in order."""
    system.box.network.drop()
    for number in range(101, 101 + CUT_UPDATES, 10):
        count(system, *range(number, number + 10))
        time.sleep(CUT_SECONDS * 10 / CUT_UPDATES)  # The device's rhythm: it waits for nothing.
    assert max(counted(system)) == 100, "nothing has come through"
    system.box.network.heal()
    await_counted(system, 101, 100 + CUT_UPDATES)
    devices.desire(system.kubectl, "room-3", "target", "23")
    await_reported(system, "room-3", target="23.00")
    assert container(pod_running(system))["restartCount"] == 0


def test_an_update_and_back(system):
    """Images of another release, then those of before: what docker-compose makes anew has the release's images, and the pod runs all the while."""
    before = container(pod_running(system))
    for version in ("0.1.1", VERSION):
        for name in EDGE_IMAGES:
            system.box.docker("tag", f"skerry/{name}:{VERSION}", f"skerry/{name}:{version}")
        system.box_up(by=2, SKERRY_VERSION=version)
        system.wait_healthy(system.box, 8)
        tags = {found["Config"]["Image"].partition(":")[2] for found in system.box.containers().values()
                if found["Config"]["Image"].startswith("skerry/") and "mapper" not in found["Name"]}
        assert tags == {version}
    after = container(pod_running(system))
    assert (after["containerID"], after["restartCount"], after["state"]) == (before["containerID"], 0, before["state"])


def test_to_one_process_and_back(system):
    """`down`, `up` of the other file; the owner of the services' files, and of no pod's. The pod runs all the while, the devices' last
    values stay."""
    before = container(pod_running(system))
    owner = system.kubectl("exec", "web", "--", "stat", "-c", "%u:%g", "/settings/greeting")
    last = 100 + CUT_UPDATES

    def stays(count_containers, *numbers):
        system.wait_healthy(system.box, count_containers)
        system.wait_ready()
        check_settings(system.box)
        await_reported(system, "room-3", target="23.00")
        await_counted(system, numbers[0], numbers[-1])
        after = container(pod_running(system))
        assert (after["containerID"], after["restartCount"], after["state"]) == (before["containerID"], 0, before["state"])
        assert system.kubectl("exec", "web", "--", "stat", "-c", "%u:%g", "/settings/greeting") == owner

    system.box_down(by=1)
    system.box_up(ONE_PROCESS, by=2)
    count(system, *range(last + 1, last + 11))
    stays(3, *range(last + 1, last + 11))
    check_skerryctl(system, ONE_PROCESS, by=2, services={"skerry-edge", "virtual-mapper"})
    system.box_down(ONE_PROCESS, by=2)
    system.to_six()
    system.box_up(by=1)
    count(system, *range(last + 11, last + 21))
    stays(8, *range(last + 11, last + 21))
    check_skerryctl(system, by=1, services=SIX)


def test_pods_by_docker_alone(system):
    """The box's file with docker-runtime.yml over it: the engine that runs the services runs pods, and pods stay over `down` and `up`."""
    system.kubectl("delete", "pod", "web", "--timeout=60s", timeout=90)
    system.box_down(by=1)
    system.load_pod_image()
    system.box_up(DOCKER_RUNTIME, by=2)
    system.kubectl.apply(web())
    before = container(pod_running(system))
    assert before["containerID"].startswith("docker://")
    check_streams(system, "good-bye")
    system.wait_healthy(system.box, 8)
    check_settings(system.box)
    check_skerryctl(system, DOCKER_RUNTIME, by=2, services=SIX)
    system.box_down(DOCKER_RUNTIME, by=2)
    system.box_up(DOCKER_RUNTIME, by=1)
    system.wait_healthy(system.box, 8)
    change_greeting(system, "again")
    after = container(pod_running(system))
    assert (after["containerID"], after["restartCount"], after["state"]) == (before["containerID"], 0, before["state"])
    check_streams(system, "again")


def test_a_box_without_pods(system):
    """edged-svc left out: devices are heard as before, and a device obeys."""
    system.box_down(DOCKER_RUNTIME, by=1)
    system.box_up(by=2, options=("--scale", "edged-svc=0"))
    system.wait_healthy(system.box, 7)
    assert not [name for name in system.box.containers() if "edged-svc" in name]
    count(system, 1000)
    await_reported(system, "counter-1", count="1000")
    devices.desire(system.kubectl, "room-3", "target", "24")
    await_reported(system, "room-3", target="24.00")
