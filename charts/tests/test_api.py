"""The real API server takes what is rendered, strictly; the jobs' scripts run against it."""

import base64
import json
import os
import shutil
import subprocess

import pytest
import yaml

from chart import CHART, find, render, tool
from cluster import wait
from cluster.kube import KubectlFailed, condition

PREFIX = "site-skerry-cloud"


def _served(kubectl):
    """(apiVersion, kind) of what this API has."""
    served = set()
    for line in kubectl("api-resources", "--no-headers").splitlines():
        *_, version, _, kind = line.split()
        served.add((version, kind))
    return served


@pytest.fixture(scope="module", name="kubectl")
def fixture_kubectl(cloud, tmp_path_factory):
    """As the administrator."""
    return cloud.kubectl(tmp_path_factory.mktemp("cache"))


def test_objects_are_accepted_strictly(kubectl, objects):
    """Those of a kind that it has; the others are counted out by name, so that none is forgotten."""
    served = _served(kubectl)
    namespace = "skerry"
    if not kubectl.exists("namespace", namespace):
        kubectl("create", "namespace", namespace)
    taken = set()
    for obj in objects:
        if (obj["apiVersion"], obj["kind"]) in served:
            kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(obj))
            taken.add(obj["kind"])
    assert {"ConfigMap", "ServiceAccount", "Pod"} <= taken
    # Pods in a workload are pods: their templates are held to the same schema.
    for obj in objects:
        spec = obj.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template") if obj["kind"] != "Pod" else None
        if template:
            pod = {"apiVersion": "v1", "kind": "Pod", "spec": json.loads(json.dumps(template["spec"])),
                   "metadata": {**template["metadata"], "name": obj["metadata"]["name"], "namespace": namespace}}
            for claim in spec.get("volumeClaimTemplates", []):
                pod["spec"]["volumes"].append({"name": claim["metadata"]["name"], "emptyDir": {}})
            kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(pod))


def test_strict_is_strict(kubectl):
    """A misspelt field is refused: the test above would see one."""
    pod = find(render(), "Pod", f"{PREFIX}-test")
    pod["metadata"]["namespace"] = "default"
    pod["spec"]["securitContext"] = {}
    with pytest.raises(KubectlFailed, match="securitContext"):
        kubectl("create", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(pod))


# ---- scripts

class Scripts:
    """Runs the script of a job's ConfigMap as its pod would, with the administrator's certificate."""

    def __init__(self, cloud, folder):
        self.folder = folder
        config = yaml.safe_load(cloud.admin_kubeconfig.read_text())
        user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
        self.env = {"KUBE_SERVER": cluster["server"], "NAMESPACE": "default", "PATH": os.environ["PATH"]}
        for name, part, key in (("KUBE_CA", cluster, "certificate-authority"), ("KUBE_CERT", user, "client-certificate"),
                                ("KUBE_KEY", user, "client-key")):
            path = folder / name
            path.write_bytes(base64.b64decode(part[f"{key}-data"]))
            self.env[name] = str(path)

    def run(self, objects, name, script, **env):
        """Its output; raises where it fails."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        for file, text in find(objects, "ConfigMap", f"{PREFIX}-{name}")["data"].items():
            (folder / file).write_text(text)
        pod = find(objects, "Job", f"{PREFIX}-{name}")["spec"]["template"]["spec"]["containers"][0]
        given = {entry["name"]: entry["value"] for entry in pod["env"]}
        done = subprocess.run(["/bin/sh", str(folder / script)], text=True, check=False, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**given, **self.env, "SCRIPTS": str(folder), **env})
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture(name="scripts")
def fixture_scripts(cloud, tmp_path):
    """Runs the jobs' scripts."""
    return Scripts(cloud, tmp_path)


def _data(kubectl, name):
    return {key: base64.b64decode(value) for key, value in kubectl.get("secret", name)["data"].items()}


def _openssl(*arguments, stdin=None):
    return subprocess.run(["openssl", *arguments], input=stdin, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60).stdout.decode()


def test_the_job_makes_the_certificates_once(kubectl, scripts, tmp_path):
    """CA and clients; a second run changes nothing; other names, or too little life, get another certificate of the CA."""
    objects = render(namespace="default")
    assert scripts.run(objects, "pki", "pki.sh").count("issued") == 4
    names = [f"{PREFIX}-{name}" for name in ("ca", "edge-controller-tls", "device-controller-tls", "router-tls", "operator-tls")]
    first = [_data(kubectl, name) for name in names]
    assert scripts.run(objects, "pki", "pki.sh") == ""
    assert [_data(kubectl, name) for name in names] == first

    (tmp_path / "ca.crt").write_bytes(first[0]["ca.crt"])
    for data in first[1:]:
        (tmp_path / "tls.crt").write_bytes(data["tls.crt"])
        assert "OK" in _openssl("verify", "-CAfile", str(tmp_path / "ca.crt"), str(tmp_path / "tls.crt"))
    subject = _openssl("x509", "-noout", "-subject", "-ext", "subjectAltName", stdin=first[1]["tls.crt"])
    assert "O = skerry:controllers, CN = system:edge-controller" in subject
    assert f"{PREFIX}-edge-controller-svc.default.svc" in subject

    objects = render({"deviceController": {"hosts": ["devices.example.com", "192.0.2.7"]}}, namespace="default")
    said = scripts.run(objects, "pki", "pki.sh")
    assert said.count("issued") == 1 and "device-controller" in said
    text = _openssl("x509", "-noout", "-ext", "subjectAltName", stdin=_data(kubectl, names[2])["tls.crt"])
    assert "devices.example.com" in text and "IP Address:192.0.2.7" in text
    assert scripts.run(objects, "pki", "pki.sh") == ""

    # A third of what it lives now is more than what is left of those.
    assert scripts.run(objects, "pki", "pki.sh", LIFETIME_DAYS="3650").count("issued") == 4
    assert _data(kubectl, names[0]) == first[0]


def test_the_job_does_not_replace_a_damaged_ca(kubectl, scripts):
    """Every box would have to join again: it stops and says what is missing."""
    objects = render(namespace="default")
    scripts.run(objects, "pki", "pki.sh")
    kept = kubectl.get("secret", f"{PREFIX}-ca")["data"]["ca.key"]
    kubectl("patch", "secret", f"{PREFIX}-ca", "--type=merge", "-p", '{"data":{"ca.key":null}}')
    with pytest.raises(AssertionError, match="put them back"):
        scripts.run(objects, "pki", "pki.sh")
    kubectl("patch", "secret", f"{PREFIX}-ca", "--type=merge", "-p", json.dumps({"data": {"ca.key": kept}}))
    scripts.run(objects, "pki", "pki.sh")


def test_without_its_secret_the_job_makes_another_ca(kubectl, scripts, tmp_path):
    """As the page of SkerryCaEnding says: the CA, and a certificate of it for each client."""
    objects = render(namespace="default")
    scripts.run(objects, "pki", "pki.sh")
    before = _data(kubectl, f"{PREFIX}-ca")
    clients = [f"{PREFIX}-{name}-tls" for name in ("edge-controller", "device-controller", "router", "operator")]
    kubectl("delete", "secret", f"{PREFIX}-ca", *clients)
    said = scripts.run(objects, "pki", "pki.sh")
    assert "CA made" in said and said.count("issued") == 4, said
    after = _data(kubectl, f"{PREFIX}-ca")
    assert after["ca.crt"] != before["ca.crt"]
    (tmp_path / "ca.crt").write_bytes(after["ca.crt"])
    for name in clients:
        data = _data(kubectl, name)
        assert data["ca.crt"] == after["ca.crt"]
        (tmp_path / "tls.crt").write_bytes(data["tls.crt"])
        assert "OK" in _openssl("verify", "-CAfile", str(tmp_path / "ca.crt"), str(tmp_path / "tls.crt"))


def _localhost(address):
    return "localhost:" + address.rpartition(":")[2]


def _helm_test(folder, **env):
    """The script of `helm test`, as the operator."""
    return subprocess.run(["/bin/sh", str(CHART / "files/test.sh")], text=True, check=False, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={"PATH": os.environ["PATH"], "TLS_DIR": str(folder / "operator"), "TMPDIR": str(folder), **env})


def test_a_hub_and_controllers_take_the_certificates(cloud, binaries, kubectl, scripts, tmp_path):
    """The real hub runs on the CA of the Secret, and the real controllers attach with theirs."""
    scripts.run(render({"deviceController": {"hosts": ["127.0.0.1", "localhost"]}}, namespace="default"), "pki", "pki.sh")
    for name, folder in (("ca", "ca"), ("edge-controller-tls", "edge"), ("device-controller-tls", "devices"), ("operator-tls", "operator")):
        (tmp_path / folder).mkdir()
        for key, value in _data(kubectl, f"{PREFIX}-{name}").items():
            (tmp_path / folder / key).write_bytes(value)
    cloud.hub.settings["tls.ca_dir"] = str(tmp_path / "ca")
    for controller, folder in ((cloud.controller, "edge"), (cloud.devices, "devices")):
        controller.settings |= {"tls.ca": str(tmp_path / folder / "ca.crt"), "tls.cert": str(tmp_path / folder / "tls.crt"),
                                "tls.key": str(tmp_path / folder / "tls.key")}
    (cloud.folder / "hub").mkdir(exist_ok=True)
    started = []
    try:
        for service in (cloud.hub, cloud.controller, cloud.devices):
            if started:
                service.settings["hub.addresses"] = [cloud.hub.addresses["api"]]
            service.start()
            started.append(service)
        # The CA is older than the hub's database, so the hub wants to be told that there are no boxes yet.
        said = subprocess.run([binaries["skerryctl"], "token", "create", "--nodes-known", f"--hub={cloud.hub.addresses['api']}",
                               *(f"--{flag}={tmp_path / 'operator' / file}" for flag, file in
                                 (("ca", "ca.crt"), ("cert", "tls.crt"), ("key", "tls.key")))],
                              text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        assert said.returncode == 0, said.stdout
        der = subprocess.run(["openssl", "x509", "-in", str(tmp_path / "ca/ca.crt"), "-outform", "DER"], check=True,
                             stdout=subprocess.PIPE, timeout=60).stdout
        assert said.stdout.strip().startswith(_openssl("dgst", "-sha256", "-r", stdin=der).split()[0])
        for service in started:
            wait.until(f"{service.name} to be ready", service.ready, 30, 0.1)
        said = _helm_test(tmp_path, READY=" ".join(service.addresses["ops"] for service in started),
                          HUB=_localhost(cloud.hub.addresses["join"]), TLS=_localhost(cloud.devices.addresses["api"]))
        assert said.returncode == 0 and said.stdout.count("ok: ") == 5, said.stdout
        cloud.controller.stop()
        said = _helm_test(tmp_path, READY=cloud.controller.addresses["ops"], HUB=_localhost(cloud.hub.addresses["link"]),
                          TLS="")
        assert said.returncode == 1 and said.stdout.count("failed: ") == 2, said.stdout
    finally:
        for service in reversed(started):
            service.stop()


def test_the_upgrade_mends_definitions(kubectl, scripts):
    """One that is old becomes what the chart has, one that is missing is made."""
    objects = render(namespace="default", upgrade=True)
    wanted = {source["metadata"]["name"]: source for source in
              (yaml.safe_load(path.read_text()) for path in sorted(CHART.glob("crds/*.yaml")))}
    old, missing = "devices.devices.kubeedge.io", "rules.rules.kubeedge.io"
    version = wanted[old]["spec"]["versions"][0]
    patch = {"metadata": {"labels": {"theirs": "1"}},
             "spec": {"versions": [{**version, "schema": {"openAPIV3Schema": {"type": "object"}}}]}}
    kubectl("patch", "crd", old, "--type=merge", "-p", json.dumps(patch))
    kubectl("delete", "crd", missing)
    scripts.run(objects, "crds", "crds.sh", CRDS=str(scripts.folder / "crds"))
    assert kubectl.get("crd", old)["spec"]["versions"] == wanted[old]["spec"]["versions"]
    assert kubectl.get("crd", old)["metadata"]["labels"]["theirs"] == "1"
    assert kubectl.exists("crd", missing)


def _mode(cloud, folder, *flags):
    """(pki.mode as the templates see it against this API, helm's errors): of a chart that has nothing but the helpers."""
    chart = folder / "chart"
    shutil.copytree(CHART, chart, dirs_exist_ok=True, ignore=lambda _, names: [
        name for name in names if name in ("crds", "tests") or name.endswith(".txt") or
        (name.endswith(".yaml") and name not in ("Chart.yaml", "values.yaml"))])
    (chart / "templates/mode.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mode}\ndata: {mode: {{ include \"skerry.pkiMode\" . }}}\n")
    done = subprocess.run([tool("helm"), "template", "site", str(chart), "--dry-run=server", "--namespace", "default",
                           "--kubeconfig", str(cloud.admin_kubeconfig), *flags],
                          text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    return yaml.safe_load(done.stdout)["data"]["mode"] if done.returncode == 0 else None, done.stderr


def test_the_maker_of_the_ca_is_kept(cloud, kubectl, scripts, tmp_path):
    """Whatever is installed or set later, no other CA is made beside one that is there: helm looks at the Secret."""
    scripts.run(render(namespace="default"), "pki", "pki.sh")
    assert _mode(cloud, tmp_path)[0] == "job"
    kubectl.apply({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                   "metadata": {"name": "certificates.cert-manager.io"},
                   "spec": {"group": "cert-manager.io", "scope": "Namespaced",
                            "names": {"kind": "Certificate", "plural": "certificates", "singular": "certificate"},
                            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {
                                "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}})
    kubectl.wait_for("crd", "certificates.cert-manager.io", "is served",
                     lambda crd: condition(crd, "Established") == "True")
    assert _mode(cloud, tmp_path)[0] == "job"
    mode, said = _mode(cloud, tmp_path, "--set", "pki.mode=certManager")
    assert mode is None and "every box would have to join again" in said
    kubectl("delete", "secret", f"{PREFIX}-ca")
    assert _mode(cloud, tmp_path)[0] == "certManager"
    kubectl("create", "secret", "generic", f"{PREFIX}-ca", "--from-literal=tls.key=x", "--from-literal=tls.crt=x")
    kubectl("delete", "crd", "certificates.cert-manager.io")
    assert _mode(cloud, tmp_path)[0] == "certManager"
    mode, said = _mode(cloud, tmp_path, "--set", "pki.mode=job")
    assert mode is None and "use certManager" in said
    kubectl("delete", "secret", f"{PREFIX}-ca")
