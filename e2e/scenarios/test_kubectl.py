"""The real kubectl against standalone-api-svc: what people type, and what they read."""

import json
import re
import subprocess
import threading
import time

import pytest
from cluster import wait
from cluster.kube import Kubectl, KubectlFailed

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "containers": [{
            "name": "main",
            "image": "nginx:1.25",
            "ports": [{"containerPort": 80}],
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}},
            "volumeMounts": [{"name": "config", "mountPath": "/config"}],
        }],
        "volumes": [{"name": "config", "configMap": {"name": "settings"}}],
    },
}

BUOY_CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "buoys.sea.example.org"},
    "spec": {
        "group": "sea.example.org",
        "names": {"plural": "buoys", "singular": "buoy", "kind": "Buoy", "shortNames": ["by"]},
        "scope": "Namespaced",
        "versions": [{
            "name": "v1",
            "served": True,
            "storage": True,
            "subresources": {"status": {}},
            "additionalPrinterColumns": [
                {"name": "Depth", "type": "integer", "jsonPath": ".spec.depth"},
                {"name": "Lit", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Lit\")].status"},
                {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            ],
            "schema": {"openAPIV3Schema": {
                "type": "object",
                "properties": {
                    "spec": {
                        "type": "object",
                        "required": ["depth"],
                        "properties": {
                            "depth": {"type": "integer", "minimum": 1, "maximum": 100},
                            "colour": {"type": "string", "enum": ["red", "green"], "default": "red"},
                            "tag": {"type": "string", "pattern": "^[a-z]+$"},
                            "extra": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                            "weights": {"type": "object", "additionalProperties": {"type": "number"}},
                        },
                    },
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }},
        }],
    },
}


def named(obj, name, **metadata):
    """A copy of `obj` with another name."""
    copy = json.loads(json.dumps(obj))
    copy["metadata"]["name"] = name
    copy["metadata"].update(metadata)
    return copy


@pytest.fixture(scope="module", name="kubectl")
def fixture_kubectl(system):
    """kubectl of an API server without nodes' services."""
    system.cloud.folder.mkdir(parents=True, exist_ok=True)
    system.cloud.api.start()
    return system.cloud.kubectl(system.folder / "kubectl-cache")


@pytest.fixture(name="space")
def fixture_space(kubectl, request):
    """A namespace of the test's own."""
    name = "t-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[:50].strip("-")
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "pods", "--all", "-n", name, "--force", "--grace-period=0", check=False)
    kubectl("delete", "namespace", name, "--wait=false")


def refused(kubectl, *arguments, stdin=None):
    """Runs kubectl, expects that it fails, returns what it said."""
    with pytest.raises(KubectlFailed) as failure:
        kubectl(*arguments, stdin=stdin)
    return str(failure.value)


def columns(text):
    """The header of a table, and its rows by the first cell."""
    lines = [re.split(r"\s{2,}|\t", line.strip()) for line in text.strip().splitlines()]
    return lines[0], {line[0]: line for line in lines[1:]}


def make_node(kubectl, name, ready="True", **spec):
    """A Node whose status says what a kubelet would."""
    kubectl.apply({"apiVersion": "v1", "kind": "Node", "spec": spec,
                   "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name,
                                                         "node-role.kubernetes.io/edge": ""}}})
    status = {"status": {"conditions": [{"type": "Ready", "status": ready}],
                         "addresses": [{"type": "InternalIP", "address": "10.1.2.3"}],
                         "nodeInfo": {"kubeletVersion": "v1.32.0", "osImage": "Debian"}}}
    kubectl("patch", "node", name, "--subresource=status", "--type=merge", "-p", json.dumps(status))


# ---- discovery


def test_the_server_introduces_itself(kubectl):
    assert "Server Version: v1.32" in kubectl("version")
    resources = kubectl("api-resources", "--verbs=list", "-o", "name").split()
    for resource in ("pods", "nodes", "configmaps", "secrets", "serviceaccounts", "events", "namespaces",
                     "leases.coordination.k8s.io", "customresourcedefinitions.apiextensions.k8s.io"):
        assert resource in resources
    assert not any("deployments" in resource for resource in resources)
    assert "v1" in kubectl("api-versions").split()


def test_explain_reads_the_schema(kubectl):
    said = kubectl("explain", "pod.spec.containers.env")
    assert "valueFrom" in said and "<EnvVarSource>" in said


def test_health_paths_need_no_credentials(system, kubectl):
    for path in ("/livez", "/readyz", "/version"):
        assert kubectl("get", "--raw", path)
        done = subprocess.run(["curl", "-skf", f"https://{system.cloud.api.addresses['api']}{path}"], check=False,
                              stdout=subprocess.PIPE)
        assert done.returncode == 0, path


# ---- tables


def test_namespaces_are_there_from_the_start(kubectl):
    header, rows = columns(kubectl("get", "namespaces"))
    assert header == ["NAME", "STATUS", "AGE"]
    for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
        assert rows[name][1] == "Active"
        wait.until("service account", lambda ns=name: kubectl.exists("serviceaccount", "default", ns), 10)
        wait.until("root CA", lambda ns=name: kubectl.exists("configmap", "kube-root-ca.crt", ns), 10)


def test_pod_columns(kubectl, space):
    kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(POD))
    header, rows = columns(kubectl("get", "pods", "-n", space, "-o", "wide"))
    assert header == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE", "READINESS GATES"]
    assert rows["web"][1:4] == ["0/1", "Pending", "0"]
    status = {"status": {"phase": "Running", "podIP": "10.9.8.7", "containerStatuses": [
        {"name": "main", "ready": True, "restartCount": 3, "image": "i", "imageID": "x",
         "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]}}
    kubectl("patch", "pod", "web", "-n", space, "--subresource=status", "-p", json.dumps(status))
    _, rows = columns(kubectl("get", "pods", "-n", space, "-o", "wide"))
    assert rows["web"][1:4] == ["1/1", "Running", "3"] and rows["web"][5] == "10.9.8.7"
    status["status"]["containerStatuses"][0].update(
        ready=False, state={"waiting": {"reason": "CrashLoopBackOff"}})
    kubectl("patch", "pod", "web", "-n", space, "--subresource=status", "-p", json.dumps(status))
    assert columns(kubectl("get", "pods", "-n", space))[1]["web"][1:3] == ["0/1", "CrashLoopBackOff"]


def test_node_columns(kubectl):
    make_node(kubectl, "columns-1", unschedulable=True)
    header, rows = columns(kubectl("get", "nodes", "-o", "wide"))
    assert header[:6] == ["NAME", "STATUS", "ROLES", "AGE", "VERSION", "INTERNAL-IP"]
    row = rows["columns-1"]
    assert row[1:3] == ["Ready,SchedulingDisabled", "edge"] and row[4:6] == ["v1.32.0", "10.1.2.3"]
    kubectl("delete", "node", "columns-1")


# ---- writes


def test_apply_again_changes_what_changed(kubectl, space):
    assert "created" in kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(POD))
    same = kubectl.get("pod", "web", space)["metadata"]["resourceVersion"]
    # As with every API server: "0.5" is stored as "500m", so kubectl sends it again, and nothing is written.
    kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(POD))
    assert kubectl.get("pod", "web", space)["metadata"]["resourceVersion"] == same
    newer = json.loads(json.dumps(POD))
    newer["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "500m", "memory": "1Gi"}}
    kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(newer))
    assert "unchanged" in kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(newer))
    newer["spec"]["containers"][0]["image"] = "nginx:1.26"
    assert "configured" in kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(newer))
    pod = kubectl.get("pod", "web", space)
    assert pod["spec"]["containers"][0]["image"] == "nginx:1.26"
    assert len(pod["spec"]["containers"][0]["env"]) == 2
    assert pod["metadata"]["generation"] == 2


def test_pods_get_kubernetes_defaults(kubectl, space):
    kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(POD))
    spec = kubectl.get("pod", "web", space)["spec"]
    container = spec["containers"][0]
    assert spec["restartPolicy"] == "Always" and spec["dnsPolicy"] == "ClusterFirst"
    assert spec["terminationGracePeriodSeconds"] == 30 and spec["schedulerName"] == "default-scheduler"
    assert spec["serviceAccountName"] == "default"
    assert container["imagePullPolicy"] == "IfNotPresent" and container["ports"][0]["protocol"] == "TCP"
    assert container["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    assert spec["volumes"][0]["configMap"]["defaultMode"] == 420


def test_create_configmap_and_secret(kubectl, space):
    kubectl("create", "configmap", "settings", "--from-literal=a=b", "-n", space)
    kubectl("create", "secret", "generic", "keys", "--from-literal=p=w", "-n", space)
    kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "plain"}, "stringData": {"x": "y"}}))
    assert columns(kubectl("get", "configmap", "-n", space))[1]["settings"][1] == "1"
    assert columns(kubectl("get", "secret", "-n", space))[1]["keys"][1:3] == ["Opaque", "1"]
    assert kubectl.get("secret", "keys", space)["data"] == {"p": "dw=="}
    plain = kubectl.get("secret", "plain", space)
    assert plain["data"] == {"x": "eQ=="} and "stringData" not in plain
    assert "already exists" in refused(kubectl, "create", "configmap", "settings", "-n", space)


def test_three_kinds_of_patch(kubectl, space):
    kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(POD))
    patch = ["patch", "pod", "web", "-n", space]
    kubectl(*patch, "-p", '{"spec":{"containers":[{"name":"main","image":"nginx:2"}]}}')
    kubectl(*patch, "--type=merge", "-p", '{"metadata":{"labels":{"m":"1"}}}')
    kubectl(*patch, "--type=json", "-p", '[{"op":"add","path":"/metadata/labels/j","value":"1"}]')
    pod = kubectl.get("pod", "web", space)
    assert pod["metadata"]["labels"] == {"app": "web", "m": "1", "j": "1"}
    assert pod["spec"]["containers"][0]["image"] == "nginx:2" and len(pod["spec"]["containers"][0]["env"]) == 2
    said = refused(kubectl, *patch, "--type=json", "-p", '[{"op":"test","path":"/metadata/name","value":"x"}]')
    assert "testing value" in said
    kubectl("label", "pod", "web", "j-", "k=2", "-n", space)
    kubectl("annotate", "pod", "web", "note=1", "-n", space)
    assert kubectl.get("pod", "web", space)["metadata"]["labels"] == {"app": "web", "m": "1", "k": "2"}


def test_a_stale_update_is_refused(kubectl, space):
    kubectl("create", "configmap", "settings", "--from-literal=a=1", "-n", space)
    stale = kubectl.get("configmap", "settings", space)
    kubectl("patch", "configmap", "settings", "-n", space, "-p", '{"data":{"a":"2"}}')
    stale["data"]["a"] = "3"
    said = refused(kubectl, "replace", "-f", "-", stdin=json.dumps(stale))
    assert "the object has been modified" in said
    del stale["metadata"]["resourceVersion"]
    kubectl("replace", "-f", "-", stdin=json.dumps(stale))
    assert kubectl.get("configmap", "settings", space)["data"]["a"] == "3"


@pytest.mark.parametrize("change, words", [
    (lambda pod: pod["spec"].update(foo=1), 'unknown field "spec.foo"'),
    (lambda pod: pod["spec"]["containers"][0].update(imagee="x"), 'unknown field "spec.containers[0].imagee"'),
    (lambda pod: pod["spec"]["containers"][0].pop("image"), "spec.containers[0].image: Required value"),
    (lambda pod: pod["spec"].update(containers=[]), "spec.containers: Required value"),
    (lambda pod: pod["spec"].update(restartPolicy="Maybe"),
     'spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "Never", "OnFailure"'),
    (lambda pod: pod["spec"]["containers"][0]["volumeMounts"][0].update(name="no"),
     'spec.containers[0].volumeMounts[0].name: Not found: "no"'),
    (lambda pod: pod["metadata"].update(name="Web"), "a lowercase RFC 1123 subdomain must consist of"),
    (lambda pod: pod["spec"]["containers"][0].update(ports=[{"containerPort": "eighty"}]), "cannot unmarshal string"),
    (lambda pod: pod["spec"]["containers"].append({"name": "main", "image": "x"}), 'Duplicate value: "main"'),
    (lambda pod: pod["metadata"].update(labels={"a b": "c"}), "metadata.labels: Invalid value"),
])
def test_what_is_wrong_is_named(kubectl, space, change, words):
    pod = json.loads(json.dumps(POD))
    change(pod)
    assert words in refused(kubectl, "apply", "-n", space, "-f", "-", stdin=json.dumps(pod))


def test_pods_change_in_their_image_only(kubectl, space):
    kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(POD))
    said = refused(kubectl, "patch", "pod", "web", "-n", space, "-p", '{"spec":{"restartPolicy":"Never"}}')
    assert "pod updates may not change fields other than" in said


def test_server_side_dry_run_stores_nothing(kubectl, space):
    assert "server dry run" in kubectl("apply", "--dry-run=server", "-n", space, "-f", "-", stdin=json.dumps(POD))
    assert not kubectl.exists("pod", "web", space)
    kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(POD))
    kubectl("delete", "pod", "web", "-n", space, "--dry-run=server")
    assert kubectl.exists("pod", "web", space)


def test_server_side_apply_is_refused_as_not_available(kubectl, space):
    said = refused(kubectl, "apply", "--server-side", "-n", space, "-f", "-", stdin=json.dumps(POD))
    assert "Server-side apply not available on the server" in said


def test_generate_name(kubectl, space):
    pod = json.loads(json.dumps(POD))
    del pod["metadata"]["name"]
    pod["metadata"]["generateName"] = "web-"
    names = {kubectl("create", "-n", space, "-f", "-", "-o", "name", stdin=json.dumps(pod)).strip() for _ in range(3)}
    assert len(names) == 3 and all(re.fullmatch(r"pod/web-[a-z0-9]{5}", name) for name in names)


def test_diff_and_edit_free_workflow(kubectl, space):
    kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(POD))
    assert kubectl("diff", "-n", space, "-f", "-", stdin=json.dumps(POD)) == ""
    newer = json.loads(json.dumps(POD))
    newer["spec"]["containers"][0]["image"] = "nginx:9"
    assert "nginx:9" in kubectl("diff", "-n", space, "-f", "-", stdin=json.dumps(newer), check=False)
    kubectl("replace", "--force", "-n", space, "-f", "-", stdin=json.dumps(newer))
    assert "Image:" in kubectl("describe", "pod", "web", "-n", space)


# ---- selection


def test_selectors(kubectl, space):
    for name, tier in (("a", "front"), ("b", "back"), ("c", "back")):
        kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(named(POD, name, labels={"tier": tier})))

    def found(*arguments):
        return kubectl("get", "pods", "-n", space, "-o", "name", *arguments).split()

    assert found("-l", "tier=back") == ["pod/b", "pod/c"]
    assert found("-l", "tier in (front),tier!=back") == ["pod/a"]
    assert found("-l", "!tier") == []
    assert found("--field-selector", "metadata.name=b") == ["pod/b"]
    assert found("--field-selector", "status.phase!=Pending") == []
    assert found("--field-selector", "spec.nodeName=") == ["pod/a", "pod/b", "pod/c"]
    assert "field label not supported" in refused(kubectl, "get", "pods", "--field-selector", "spec.foo=1")


def test_lists_come_in_pages(kubectl, space):
    for i in range(7):
        kubectl("create", "configmap", f"page-{i}", "-n", space)
    wait.until("root CA", lambda: kubectl.exists("configmap", "kube-root-ca.crt", space), 10)
    whole = kubectl("get", "configmaps", "-n", space, "-o", "name")
    assert kubectl("get", "configmaps", "-n", space, "-o", "name", "--chunk-size=3") == whole
    path = f"/api/v1/namespaces/{space}/configmaps?limit=3"
    page = json.loads(kubectl("get", "--raw", path))
    kubectl("delete", "configmap", "page-6", "-n", space)
    names = [item["metadata"]["name"] for item in page["items"]]
    while page["metadata"].get("continue"):
        page = json.loads(kubectl("get", "--raw", f"{path}&continue={page['metadata']['continue']}"))
        names += [item["metadata"]["name"] for item in page["items"]]
    assert "page-6" in names and len(names) == 8  # All pages show the state of the first.


# ---- watches


class Watch:
    """`kubectl get --raw …?watch=1` in the background: events as they come."""

    def __init__(self, kubectl, path):
        self.events = []
        # pylint: disable=protected-access
        self._process = subprocess.Popen([*kubectl._base[:-1], "get", "--raw", path], stdout=subprocess.PIPE, text=True)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self._process.stdout:
            self.events.append(json.loads(line))

    def seen(self):
        """[(type, name), …]"""
        return [(event["type"], event["object"].get("metadata", {}).get("name")) for event in self.events]

    def close(self):
        """Ends it."""
        self._process.kill()
        self._process.wait()
        self._thread.join(10)


@pytest.fixture(name="watch")
def fixture_watch(kubectl):
    """Makes watches that end with the test."""
    made = []

    def make(path):
        made.append(Watch(kubectl, path))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_watch_shows_what_is_there_and_what_comes(kubectl, space, watch):
    wait.until("root CA", lambda: kubectl.exists("configmap", "kube-root-ca.crt", space), 10)
    kubectl("create", "configmap", "a", "-n", space)
    stream = watch(f"/api/v1/namespaces/{space}/configmaps?watch=1")
    wait.until("first state", lambda: ("ADDED", "a") in stream.seen(), 10)
    kubectl("patch", "configmap", "a", "-n", space, "-p", '{"data":{"k":"v"}}')
    kubectl("delete", "configmap", "a", "-n", space)
    wait.until("deletion", lambda: ("DELETED", "a") in stream.seen(), 10)
    assert stream.seen() == [("ADDED", "a"), ("ADDED", "kube-root-ca.crt"), ("MODIFIED", "a"), ("DELETED", "a")]


def test_watch_resumes_at_a_version(kubectl, space, watch):
    kubectl("create", "configmap", "a", "-n", space)
    version = json.loads(kubectl("get", "--raw", f"/api/v1/namespaces/{space}/configmaps"))["metadata"]["resourceVersion"]
    kubectl("create", "configmap", "b", "-n", space)
    stream = watch(f"/api/v1/namespaces/{space}/configmaps?watch=1&resourceVersion={version}")
    wait.until("what came after", lambda: ("ADDED", "b") in stream.seen(), 10)
    assert ("ADDED", "a") not in stream.seen()


def test_a_filtered_watch_sees_objects_come_and_go(kubectl, space, watch):
    stream = watch(f"/api/v1/namespaces/{space}/configmaps?watch=1&labelSelector=on%3Dyes")
    kubectl("create", "configmap", "lamp", "-n", space)
    kubectl("label", "configmap", "lamp", "on=yes", "-n", space)
    kubectl("label", "configmap", "lamp", "on=no", "--overwrite", "-n", space)
    wait.until("its end", lambda: ("DELETED", "lamp") in stream.seen(), 10)
    assert stream.seen() == [("ADDED", "lamp"), ("DELETED", "lamp")]


def test_initial_events_end_with_a_bookmark(kubectl, watch):
    stream = watch("/api/v1/namespaces?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                   "&allowWatchBookmarks=true")
    wait.until("bookmark", lambda: any(event["type"] == "BOOKMARK" for event in stream.events), 10)
    last = [event for event in stream.events if event["type"] == "BOOKMARK"][0]
    assert last["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert ("ADDED", "default") in stream.seen()


def test_a_watch_ends_in_time(kubectl):
    started = time.monotonic()
    kubectl("get", "--raw", "/api/v1/pods?watch=1&timeoutSeconds=1")
    assert time.monotonic() - started < 10


def test_a_version_of_the_future_is_refused(kubectl):
    said = kubectl("get", "--raw", "/api/v1/pods?watch=1&timeoutSeconds=5&resourceVersion=999999999")
    assert json.loads(said)["type"] == "ERROR"
    assert "Too large resource version" in refused(
        kubectl, "get", "--raw", "/api/v1/pods?resourceVersion=999999999&resourceVersionMatch=NotOlderThan")


def test_get_w_prints_rows(kubectl, space):
    # pylint: disable=protected-access
    process = subprocess.Popen([*kubectl._base[:-1], "get", "pods", "-w", "-n", space], stdout=subprocess.PIPE,
                               text=True)
    lines = []
    thread = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True)
    thread.start()
    try:
        kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(POD))
        wait.until("a row", lambda: any(line.startswith("web ") for line in lines), 10)
        assert lines[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    finally:
        process.kill()
        process.wait()
        thread.join(10)


# ---- deletion


def test_a_pod_without_node_goes_at_once(kubectl, space):
    kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(POD))
    kubectl("delete", "pod", "web", "-n", space, timeout=20)
    assert not kubectl.exists("pod", "web", space)


def test_a_bound_pod_waits_for_its_node(kubectl, space):
    pod = json.loads(json.dumps(POD))
    pod["spec"]["nodeName"] = "somewhere"
    kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(pod))
    kubectl("delete", "pod", "web", "-n", space, "--wait=false", "--grace-period=7")
    meta = kubectl.get("pod", "web", space)["metadata"]
    assert meta["deletionGracePeriodSeconds"] == 7 and meta["deletionTimestamp"]
    assert columns(kubectl("get", "pods", "-n", space))[1]["web"][2] == "Terminating"
    kubectl("delete", "pod", "web", "-n", space, "--force", "--grace-period=0")
    assert not kubectl.exists("pod", "web", space)


def test_finalizers_hold_an_object(kubectl, space):
    kubectl.apply({"apiVersion": "v1", "kind": "ConfigMap",
                   "metadata": {"name": "held", "namespace": space, "finalizers": ["example.org/hold"]}})
    kubectl("delete", "configmap", "held", "-n", space, "--wait=false")
    assert "deletionTimestamp" in kubectl.get("configmap", "held", space)["metadata"]
    said = refused(kubectl, "patch", "configmap", "held", "-n", space, "--type=merge", "-p",
                   '{"metadata":{"finalizers":["example.org/hold","example.org/more"]}}')
    assert "no new finalizers can be added if the object is being deleted" in said
    kubectl("patch", "configmap", "held", "-n", space, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
    assert not kubectl.exists("configmap", "held", space)


def test_a_namespace_takes_its_content_along(kubectl):
    kubectl("create", "namespace", "doomed")
    kubectl("create", "configmap", "a", "-n", "doomed")
    kubectl("apply", "-n", "doomed", "-f", "-", stdin=json.dumps(POD))
    kubectl("delete", "namespace", "doomed", "--timeout=30s")
    assert not kubectl.exists("namespace", "doomed")
    assert 'namespaces "doomed" not found' in refused(kubectl, "create", "configmap", "a", "-n", "doomed")
    kubectl("create", "namespace", "doomed")
    assert not kubectl.exists("configmap", "a", "doomed")
    kubectl("delete", "namespace", "doomed", "--timeout=30s")


def test_delete_all_of_a_kind(kubectl, space):
    for name in ("a", "b"):
        kubectl("create", "configmap", name, "-n", space, "--dry-run=client", "-o", "json")
        kubectl("create", "configmap", name, "-n", space)
    kubectl("delete", "configmaps", "a", "b", "-n", space)
    assert not kubectl.exists("configmap", "a", space)


# ---- scheduling


def test_pods_are_bound_to_a_node_that_fits(kubectl, space):
    pod = json.loads(json.dumps(POD))
    pod["spec"]["nodeSelector"] = {"kubernetes.io/hostname": "pier-1"}
    kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(pod))
    waiting = kubectl.wait_for("pod", "web", "unschedulable", lambda pod: any(
        condition["reason"] == "Unschedulable" for condition in pod["status"].get("conditions", [])), 10, space)
    assert "node" in waiting["status"]["conditions"][0]["message"]
    make_node(kubectl, "pier-2")
    make_node(kubectl, "pier-1")
    bound = kubectl.wait_for("pod", "web", "bound", lambda pod: pod["spec"].get("nodeName"), 10, space)
    assert bound["spec"]["nodeName"] == "pier-1"
    assert [condition["status"] for condition in bound["status"]["conditions"]] == ["True"]
    events = kubectl("get", "events", "-n", space)
    assert "FailedScheduling" in events and "Scheduled" in events
    kubectl("delete", "node", "pier-1", "pier-2")


# ---- custom resources


@pytest.fixture(name="buoys")
def fixture_buoys(kubectl):
    """The definition of buoys, gone with all buoys after the test."""
    kubectl.apply(BUOY_CRD)
    kubectl("wait", "--for=condition=Established", "crd/buoys.sea.example.org", "--timeout=10s")
    yield
    kubectl("delete", "crd", "buoys.sea.example.org", "--timeout=20s")
    said = refused(kubectl, "get", "buoys")  # The first from kubectl's cache of discovery, the second without it.
    assert "could not find the requested resource" in said or "doesn't have a resource type" in said


def buoy(**spec):
    """A buoy."""
    return {"apiVersion": "sea.example.org/v1", "kind": "Buoy", "metadata": {"name": "north"}, "spec": spec}


def test_custom_resources(kubectl, space, buoys):  # pylint: disable=unused-argument
    def apply(obj):
        return kubectl("apply", "-n", space, "-f", "-", stdin=json.dumps(obj))

    apply(buoy(depth=10, weights={"a": 1.5}, extra={"anything": {"goes": [1]}}))
    stored = kubectl.get("buoy", "north", space)
    assert stored["spec"]["colour"] == "red" and stored["spec"]["extra"] == {"anything": {"goes": [1]}}
    assert stored["metadata"]["generation"] == 1
    kubectl("patch", "buoy", "north", "-n", space, "--subresource=status", "--type=merge", "-p",
            '{"status":{"conditions":[{"type":"Lit","status":"True"}]}, "spec":{"depth":99}}')
    after = kubectl.get("by", "north", space)
    assert after["spec"]["depth"] == 10 and after["metadata"]["generation"] == 1
    header, rows = columns(kubectl("get", "by", "-n", space))
    assert header == ["NAME", "DEPTH", "LIT", "AGE"] and rows["north"][:3] == ["north", "10", "True"]
    apply(buoy(depth=20))
    after = kubectl.get("buoy", "north", space)
    assert after["metadata"]["generation"] == 2 and after["status"]["conditions"][0]["type"] == "Lit"
    assert "extra" not in after["spec"]
    assert "depth" in kubectl("explain", "buoy.spec")


@pytest.mark.parametrize("spec, words", [
    ({}, "spec.depth: Required value"),
    ({"depth": 0}, "spec.depth in body should be greater than or equal to 1"),
    ({"depth": "deep"}, "spec.depth in body must be of type integer"),
    ({"depth": 1, "colour": "blue"}, 'Unsupported value: "blue": supported values: "red", "green"'),
    ({"depth": 1, "tag": "A1"}, "spec.tag in body should match '^[a-z]+$'"),
    ({"depth": 1, "weights": {"a": "x"}}, "spec.weights.a in body must be of type number"),
    ({"depth": 1, "unknown": 1}, 'unknown field "spec.unknown"'),
])
def test_custom_resources_are_validated(kubectl, space, buoys, spec, words):  # pylint: disable=unused-argument
    assert words in refused(kubectl, "apply", "-n", space, "-f", "-", stdin=json.dumps(buoy(**spec)))


def test_unknown_fields_are_pruned_without_strictness(kubectl, space, buoys):  # pylint: disable=unused-argument
    kubectl("apply", "--validate=warn", "-n", space, "-f", "-", stdin=json.dumps(buoy(depth=1, unknown=1)))
    assert "unknown" not in kubectl.get("buoy", "north", space)["spec"]


# ---- access


def test_what_nobody_allows_is_denied(system, kubectl):
    assert kubectl("auth", "can-i", "create", "pods").strip() == "yes"
    controller = Kubectl(system.cloud.kubeconfigs / "edge-controller.kubeconfig", system.folder / "controller-cache")
    assert "system:edge-controller" in controller("auth", "whoami")
    assert controller("auth", "can-i", "list", "pods", "-A").strip() == "yes"
    assert "no" in controller("auth", "can-i", "create", "secrets", check=False)
    said = refused(controller, "delete", "configmap", "kube-root-ca.crt")
    assert 'User "system:edge-controller" cannot delete resource "configmaps" in API group ""' in said
    done = subprocess.run(["curl", "-sk", f"https://{system.cloud.api.addresses['api']}/api/v1/pods"], check=False,
                          stdout=subprocess.PIPE, text=True)
    assert json.loads(done.stdout)["code"] in (401, 403)


# ---- durability


def test_objects_outlive_the_server(system, kubectl, space):
    kubectl("create", "configmap", "kept", "--from-literal=a=b", "-n", space)
    before = kubectl.get("configmap", "kept", space)
    system.cloud.api.kill()
    system.cloud.api.start()
    assert kubectl.get("configmap", "kept", space) == before
