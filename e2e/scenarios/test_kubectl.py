"""The real kubectl against standalone-api-svc: what people type, and what they read."""

import json
import re
import subprocess

import pytest
from cluster import wait
from cluster.kube import Kubectl
from harness.kubectl import fixture_kubectl, fixture_space  # noqa: F401  pylint: disable=unused-import
from harness.kubectl import POD, columns, make_node, refused


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
