"""Every service dies at any instant, again and again, while objects change: the state converges, every store opens."""

import os
import random
import time

from cluster import wait
from cluster.kube import KubectlFailed, condition, container
from harness import pods

KILLS = int(os.environ.get("SKERRY_E2E_KILLS", "50"))  # Of each service.
PODS = 3


def test_services_killed_at_random_during_updates(fresh_system):
    """[crash-1] L1, A5. The seed is printed: SKERRY_E2E_SEED repeats the order of kills and changes."""
    system = fresh_system
    seed = int(os.environ.get("SKERRY_E2E_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed: SKERRY_E2E_SEED={seed}")
    rng = random.Random(seed)
    system.cloud.start()
    node = system.add_node("edge-1")
    kubectl = system.kubectl
    config, mount = pods.volume_from_config_map("counter", "/etc/counter")
    kubectl.apply(pods.config_map("counter", value="0"),
                  *[pods.pod(f"pod-{n}", volumes=[config], container={"volumeMounts": [mount]}) for n in range(PODS)])
    before = {}
    for n in range(PODS):
        pod = kubectl.wait_for("pod", f"pod-{n}", "Ready", lambda p: condition(p, "Ready") == "True")
        before[f"pod-{n}"] = (pod["metadata"]["uid"], container(pod)["containerID"], container(pod)["restartCount"])
    replaced = set()
    written = 0

    def change():
        """One change of the cluster; False if the API was not there to take it."""
        nonlocal written
        try:
            if rng.random() < 0.1:
                name = f"extra-{rng.randrange(3)}"
                if kubectl.exists("pod", name):
                    kubectl("delete", "pod", name, "--wait=false", timeout=20)
                else:
                    kubectl.apply(pods.pod(name))
                replaced.add(name)
            else:
                kubectl("patch", "configmap", "counter", "-p", f'{{"data":{{"value":"{written + 1}"}}}}', timeout=20)
                written += 1
        except KubectlFailed:
            return False
        return True

    victims = [service for service in (*system.cloud.services, *node.services) for _ in range(KILLS)]
    rng.shuffle(victims)
    for count, service in enumerate(victims):
        if count % 6 == 0:
            change()
        time.sleep(rng.random() * 0.05)  # Not to wait for something: the instant of death is to be any.
        service.kill()
        service.start()

    wait.until("a change to be taken", change, 60)
    final = {name: kubectl.exists("pod", name) for name in replaced}
    value = kubectl.get("configmap", "counter")["data"]["value"]
    for name, (uid, container_id, restarts) in before.items():
        wait.until(f"{name} to see value {value}",
                   lambda c=container_id: node.exec(c, "cat", "/etc/counter/value") == value, 90)
        pod = kubectl.wait_for("pod", name, "Ready", lambda p: condition(p, "Ready") == "True", 60)
        assert (pod["metadata"]["uid"], container(pod)["containerID"], container(pod)["restartCount"]) == \
            (uid, container_id, restarts), "a healthy container was restarted"
    for name in final:
        wait.until(f"{name} to be as the cloud has it", lambda n=name: _settled(system, node, n), 60)
    system.wait_ready("edge-1")
    wait.until("every report to have arrived", lambda: node.edgehub.metric("skerry_edgehub_journal_entries") == 0
               and node.meta.metric("skerry_edgemeta_reports_pending") == 0, 60)
    expected = 2 * (PODS + sum(kubectl.exists("pod", name) for name in final))
    wait.until("no container too many", lambda: len(node.running()) == expected, 60)

    for _, service in system.services():
        service.kill()
    results = system.check_databases()
    assert len(results) >= 5, results
    assert set(results.values()) == {"ok"}, results
    assert not list(system.folder.rglob("*.damaged-*"))
    print(f"{len(victims)} kills, {written} values written, {len(results)} stores sound")


def _settled(system, node, name):
    """A pod that is wanted runs; one that is not has gone, with its container."""
    if not system.kubectl.exists("pod", name):
        return True
    pod = system.kubectl.get("pod", name)
    if "deletionTimestamp" in pod["metadata"]:
        return False
    return condition(pod, "Ready") == "True" and container(pod)["containerID"].rpartition("/")[2] in node.running()
