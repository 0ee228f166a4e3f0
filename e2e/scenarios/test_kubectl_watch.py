"""The real kubectl: selectors, pages, watches, and what a deletion shows."""

import json
import subprocess
import threading
import time

import pytest
from cluster import wait
from harness.kubectl import fixture_kubectl, fixture_space  # noqa: F401  pylint: disable=unused-import
from harness.kubectl import POD, columns, make_node, named, refused


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
