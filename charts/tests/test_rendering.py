"""What holds for every value, and what single values do."""

import base64
import json

import pytest
import yaml

from chart import CERT_MANAGER, CHART, MATRIX, PROMETHEUS, HelmFailed, find, helm, pods, render

CLUSTER_WIDE = {"ClusterRole", "ClusterRoleBinding"}


def test_lint():
    """helm lint --strict, with the defaults and with every row."""
    helm("lint", "--strict", str(CHART))
    for values, _ in MATRIX.values():
        helm("lint", "--strict", str(CHART), values=values)


@pytest.mark.parametrize("values, field", [
    ({"cloudhub": {"replicas": 0}}, "replicas"),
    ({"cloudhub": {"replica": 2}}, "replica"),
    ({"router": {"replicas": 2}}, "replicas"),
    ({"database": {"mode": "external"}}, "existingSecret"),
    ({"pki": {"mode": "none"}}, "mode"),
    ({"cloudhub": {"drainTimeout": "90s"}}, "drainTimeout"),
    ({"cloudhub": {"hosts": ["a,DNS:b"]}}, "hosts"),
    ({"deviceController": {"hosts": ["a\nb"]}}, "hosts"),
    ({"logLevel": "loud"}, "logLevel"),
    ({"auth": {"bearer": {"users": ["jane"]}}}, "users"),
    ({"cloudhub": {"service": {"type": "NodePort"}}}, "cloudhub.advertise"),
])
def test_bad_values_are_refused(values, field):
    """By the schema or by the templates, with the value's name."""
    with pytest.raises(HelmFailed) as refused:
        render(values)
    assert field in str(refused.value)


@pytest.mark.parametrize("given, rendered", [(None, True), (True, True), (False, False)])
def test_an_upgrade_that_reuses_the_values_of_before(given, rendered):
    """They do not have what is new; null is what helm makes of that here."""
    objects = render({"edgeController": {"kubelet": {"advertiseInternalIP": given}}})
    config = yaml.safe_load(find(objects, "ConfigMap", "site-skerry-cloud-edge-controller-svc")["data"]["edge-controller-svc.yaml"])
    assert config["kubelet"]["advertise_internal_ip"] is rendered


def test_older_clusters():
    """1.20 has two kinds in beta alone (e2e/scenarios/test_helm.py is on such a cluster); what is older is refused."""
    versions = {(obj["kind"], obj["apiVersion"]) for obj in render(kubernetes="1.20.2")}
    assert {("CronJob", "batch/v1beta1"), ("PodDisruptionBudget", "policy/v1beta1")} <= versions
    versions = {(obj["kind"], obj["apiVersion"]) for obj in render(kubernetes="1.21.0")}
    assert {("CronJob", "batch/v1"), ("PodDisruptionBudget", "policy/v1")} <= versions
    with pytest.raises(HelmFailed, match="1.20.0-0"):
        render(kubernetes="1.19.16")


def test_merging_on_the_server_finds_every_port(objects):
    """The API server of 1.20 has no default for the protocol, by which it tells ports apart."""
    for name, _, spec in pods(objects):
        for container in spec["containers"]:
            assert all("protocol" in port for port in container.get("ports", [])), name
    for obj in objects:
        if obj["kind"] == "Service":
            assert all("protocol" in port for port in obj["spec"]["ports"]), obj["metadata"]["name"]


def test_names_are_unique_and_labelled(objects):
    """Nothing twice; every object says whose it is, and in which namespace."""
    seen = set()
    for obj in objects:
        meta = obj["metadata"]
        key = (obj["kind"], meta.get("namespace"), meta["name"])
        assert key not in seen
        seen.add(key)
        assert len(meta["name"]) <= 63
        assert meta["labels"]["app.kubernetes.io/instance"] == "site"
        assert ("namespace" in meta) == (obj["kind"] not in CLUSTER_WIDE), key


def test_pods_are_restricted(objects):
    """The level "restricted" of PodSecurity, a read-only root, and bounds of memory, for every pod."""
    for name, _, spec in pods(objects):
        context = spec["securityContext"]
        assert context["runAsNonRoot"] and context["runAsUser"] > 0, name
        assert context["seccompProfile"]["type"] == "RuntimeDefault", name
        assert not any(spec.get(field) for field in ("hostNetwork", "hostPID", "hostIPC")), name
        for volume in spec["volumes"]:
            assert set(volume) - {"name"} <= {"configMap", "secret", "emptyDir"}, name
            assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": 0}), name
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False, name
            assert security["readOnlyRootFilesystem"] is True and security["capabilities"] == {"drop": ["ALL"]}, name
            assert "memory" in container["resources"]["limits"], name
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted <= {volume["name"] for volume in spec["volumes"]} | {"data"}, name


def test_pods_stay_off_edge_nodes(objects):
    """An edge node is a node of the same cluster."""
    for name, _, spec in pods(objects):
        terms = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
        assert terms == [{"matchExpressions": [{"key": "node-role.kubernetes.io/edge", "operator": "DoesNotExist"}]}], name


def test_references_are_of_this_release(objects):
    """ServiceAccounts, ConfigMaps, Secrets and selectors that are named exist, but for those that the user gives."""
    there = {(obj["kind"], obj["metadata"]["name"]) for obj in objects}
    accounts = {name for kind, name in there if kind == "ServiceAccount"}
    full = "edge" if ("Deployment", "edge-cloudhub-svc") in there else "site-skerry-cloud"
    clients = ["edge-controller", "device-controller", "router", "operator"]
    secrets = {name for kind, name in there if kind == "Secret"} | {"database", "tokens", f"{full}-ca"}
    secrets |= {f"{full}-{client}-tls" for client in clients}
    labels = []
    for name, pod_labels, spec in pods(objects):
        labels.append(pod_labels)
        assert spec["serviceAccountName"] in accounts, name
        for volume in spec["volumes"]:
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in there | {("ConfigMap", "kube-root-ca.crt")}, name
            if "secret" in volume:
                assert volume["secret"]["secretName"] in secrets, name
    for obj in objects:
        selector = obj["spec"].get("selector") if obj["kind"] in ("Service", "PodDisruptionBudget") else None
        if obj["kind"] == "NetworkPolicy":
            selector = obj["spec"]["podSelector"]
        if selector:
            selector = selector.get("matchLabels", selector)
            assert any(selector.items() <= pod.items() for pod in labels), obj["metadata"]["name"]


def test_service_ports_exist(objects):
    """A Service's targetPort is a port of the pods that it selects."""
    for service in (obj for obj in objects if obj["kind"] == "Service"):
        for name, labels, spec in pods(objects):
            if not service["spec"]["selector"].items() <= labels.items():
                continue
            ports = {port["name"] for port in spec["containers"][0]["ports"]}
            for port in service["spec"]["ports"]:
                assert port["targetPort"] in ports, f"{service['metadata']['name']} {name}"


def test_rights_are_small(objects):
    """No wildcard, no write of Secrets but the certificates' job, and hubs have a token of the API only to ask about others."""
    for role in (obj for obj in objects if obj["kind"] in ("Role", "ClusterRole")):
        for rule in role["rules"]:
            assert "*" not in [*rule["verbs"], *rule["resources"], *rule["apiGroups"]], role["metadata"]["name"]
            writes = set(rule["verbs"]) - {"get", "list", "watch"}
            if "secrets" in rule["resources"] and writes:
                assert role["kind"] == "Role" and role["metadata"]["name"].endswith("-pki")
                assert writes == {"create"} or rule["resourceNames"]
                assert not any(name.endswith("-ca") for name in rule.get("resourceNames", []))
    without = {"postgres", "test"}
    if not [obj for obj in objects if obj["kind"] == "ClusterRole" and obj["metadata"]["name"].endswith("-cloudhub-svc")]:
        without.add("cloudhub-svc")
    for name, labels, spec in pods(objects):
        assert spec["automountServiceAccountToken"] == (labels["app.kubernetes.io/component"] not in without), name


def test_only_hubs_and_the_job_see_the_key_of_the_ca(objects):
    """Who has it is every box's master."""
    holders = {labels["app.kubernetes.io/component"] for _, labels, spec in pods(objects) for volume in spec["volumes"]
               if volume.get("secret", {}).get("secretName", "").endswith("-ca")}
    assert holders == {"cloudhub-svc"}


def test_replicas_have_a_budget_and_single_ones_do_not():
    """A budget for one replica would hold up every node's drain for ever."""
    objects = render({"cloudhub": {"replicas": 1}})
    budgets = {obj["metadata"]["name"] for obj in objects if obj["kind"] == "PodDisruptionBudget"}
    assert budgets == {"site-skerry-cloud-edge-controller-svc", "site-skerry-cloud-device-controller-svc"}
    assert find(objects, "Deployment", "site-skerry-cloud-router-svc")["spec"]["strategy"] == {"type": "Recreate"}


def test_settings_of_the_user_win():
    """`config` is merged over what the chart writes, and a change rolls the pods."""
    objects = render({"cloudhub": {"config": {"link": {"threads": 4}}}})
    config = yaml.safe_load(find(objects, "ConfigMap", "site-skerry-cloud-cloudhub-svc")["data"]["cloudhub-svc.yaml"])
    assert config["link"] == {"listen": "0.0.0.0:10000", "threads": 4}
    sums = [find(given, "Deployment", "site-skerry-cloud-cloudhub-svc")["spec"]["template"]["metadata"]["annotations"]
            for given in (objects, render())]
    assert sums[0]["checksum/config"] != sums[1]["checksum/config"]


def test_cert_manager_issues_where_it_is():
    """The same certificates as the job's, and no job."""
    objects = render(versions=[CERT_MANAGER])
    assert not [obj for obj in objects if obj["kind"] in ("Job", "CronJob") and "pki" in obj["metadata"]["name"]]
    issued = {obj["spec"]["secretName"]: obj["spec"] for obj in objects if obj["kind"] == "Certificate"}
    listed = find(render(), "ConfigMap", "site-skerry-cloud-pki")["data"]["clients.list"].split()
    assert len(listed) == 4
    for line in listed:
        file, name, organization, sans = line.split("|")
        spec = issued[f"site-skerry-cloud-{file}-tls"]
        assert (spec["commonName"], spec["subject"]["organizations"]) == (name, [organization])
        assert [f"DNS:{dns}" for dns in spec.get("dnsNames", [])] == [san for san in sans.split(",") if san]
    hub = find(objects, "Deployment", "site-skerry-cloud-cloudhub-svc")["spec"]["template"]["spec"]
    ca = next(volume for volume in hub["volumes"] if volume["name"] == "ca")["secret"]
    assert ca["items"] == [{"key": "tls.crt", "path": "ca.crt"}, {"key": "tls.key", "path": "ca.key"}]


def _reviewers(objects):
    """The ServiceAccounts that may ask whose a token is."""
    roles = {role["metadata"]["name"] for role in objects if role["kind"] == "ClusterRole"
             for rule in role["rules"] if "tokenreviews" in rule["resources"]}
    return {binding["subjects"][0]["name"].removeprefix("site-skerry-cloud-") for binding in objects
            if binding["kind"] == "ClusterRoleBinding" and binding["roleRef"]["name"] in roles}


def test_tokens_are_asked_for_only_where_they_are_taken():
    """By those who take them, with no right but that; hubs have no other."""
    assert _reviewers(render()) == set()
    bearer = {"enabled": True, "audience": "edge", "groups": ["system:serviceaccounts:shop=skerry:viewers"]}
    objects = render({"auth": {"bearer": bearer}})
    takers = {"cloudhub-svc", "device-controller-svc", "router-svc"}
    assert _reviewers(objects) == takers
    assert find(objects, "ClusterRole", "skerry-site-skerry-cloud-cloudhub-svc")["rules"] == [
        {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]}]
    for service in takers:
        config = yaml.safe_load(find(objects, "ConfigMap", f"site-skerry-cloud-{service}")["data"][f"{service}.yaml"])
        assert config["auth"]["bearer"] == {**bearer, "users": []}
        policy = find(objects, "NetworkPolicy", f"site-skerry-cloud-{service}")["spec"]
        assert any({"port": 6443} in rule.get("ports", []) or rule == {} for rule in policy["egress"])
    assert "router-svc" not in _reviewers(render({"auth": {"bearer": bearer}, "router": {"enabled": False}}))


def test_monitoring_needs_the_operator():
    """Its kinds are rendered only where the cluster has them."""
    kinds = {obj["kind"] for obj in render()}
    assert not kinds & {"PodMonitor", "PrometheusRule"}
    objects = render(versions=[PROMETHEUS])
    assert find(objects, "PodMonitor", "site-skerry-cloud")["spec"]["jobLabel"] == "app.kubernetes.io/component"
    rules = [obj for obj in objects if obj["kind"] == "PrometheusRule"]
    assert len(rules) == len(list(CHART.glob("alerts/*.yaml")))
    for rule in rules:
        source = {json.dumps(yaml.safe_load(path.read_text()), sort_keys=True) for path in CHART.glob("alerts/*.yaml")}
        assert json.dumps(rule["spec"], sort_keys=True) in source
    boards = [obj for obj in objects if obj["metadata"]["labels"].get("grafana_dashboard") == "1"]
    assert {name: text for board in boards for name, text in board["data"].items()} == {
        path.name: path.read_text() for path in CHART.glob("dashboards/*.json")}


@pytest.mark.parametrize("base", ["https://git.example.com/skerry/blob/v1", "https://git.example.com/skerry/blob/v1/"])
def test_runbooks_are_links(base):
    """Alertmanager shows runbook_url as it is: with the value it is an address, of a page that is there."""
    objects = render({"monitoring": {"prometheusRule": {"runbookBase": base}}}, versions=[PROMETHEUS])
    rules = [rule for obj in objects if obj["kind"] == "PrometheusRule" for group in obj["spec"]["groups"] for rule in group["rules"]]
    source = [rule for path in CHART.glob("alerts/*.yaml") for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]
    assert len(rules) == len(source) > 0
    for rule, original in zip(rules, source):
        page = rule["annotations"]["runbook_url"].removeprefix("https://git.example.com/skerry/blob/v1/")
        assert page == original["annotations"]["runbook_url"] and (CHART.parents[1] / page).is_file()
        assert {**rule, "annotations": {**rule["annotations"], "runbook_url": page}} == original
    with pytest.raises(HelmFailed, match="runbookBase"):
        render({"monitoring": {"prometheusRule": {"runbookBase": "docs"}}})


def test_the_upgrade_brings_all_definitions():
    """What the hook writes is what crds/ has, and its rights are for these alone."""
    objects = render(upgrade=True)
    data = find(objects, "ConfigMap", "site-skerry-cloud-crds")["data"]
    sources = [yaml.safe_load(path.read_text()) for path in sorted(CHART.glob("crds/*.yaml"))]
    assert {source["metadata"]["name"]: source for source in sources} == {
        name.removesuffix(".json"): json.loads(text) for name, text in data.items() if name.endswith(".json")}
    patch = find(objects, "ClusterRole", "skerry-site-skerry-cloud-crds")["rules"][1]
    assert patch["resourceNames"] == sorted(source["metadata"]["name"] for source in sources)


def test_the_bundled_database_is_reached_by_its_url():
    """The URL names the Service, and has the password."""
    secret = find(render(namespace="edge"), "Secret", "site-skerry-cloud-postgres")["stringData"]
    assert secret["url"] == f"postgresql://skerry:{secret['password']}@site-skerry-cloud-postgres.edge.svc:5432/skerry"
    assert len(base64.b64encode(secret["password"].encode())) > 40
