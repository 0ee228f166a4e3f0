"""`skerryctl doctor` on a real box: nothing is found where all is well, and one thing where one thing is wrong."""

import json
import os
import re
import shutil
import signal
import subprocess
import tarfile

import pytest
from cluster import wait

from harness.clock import faketime
from harness.disk import filled, mount_disk, unmount_disk

TIMEOUT = 90


@pytest.fixture(scope="module", name="box")
def fixture_box(system):
    """A box with all that the doctor looks at: link, runtime, broker."""
    system.cloud.start()
    node = system.make_node("edge-1")
    node.broker.configure()
    system.add_node("edge-1")
    wait.until("the box to be healthy", lambda: not report(system, node)["findings"], 60)
    return node


def run(system, box, *flags, config_dir=None, env=None):
    """The finished `skerryctl doctor`."""
    command = box.host.command(system.binaries["skerryctl"], "doctor", f"--dir={config_dir or box.config_dir}", *flags)
    return subprocess.run(command, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=TIMEOUT, env=env)


def report(system, box, *flags, **options):
    """What it finds; its exit code says whether there is an error."""
    done = run(system, box, "-o", "json", *flags, **options)
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["healthy"] else 1), done.stderr
    for finding in found["findings"]:
        assert finding["seen"] and finding["cause"] and finding["fix"], finding
    return found


def codes(system, box, *flags, **options):
    """The codes of what it finds."""
    return [finding["code"] for finding in report(system, box, *flags, **options)["findings"]]


@pytest.fixture(name="copied")
def fixture_copied(box, tmp_path):
    """The box's configuration in another folder, to be changed: the box itself is left alone."""
    folder = tmp_path / "config"
    shutil.copytree(box.config_dir, folder)
    edit(folder, f"{box.config_dir}/", f"{folder}/")
    return folder


def edit(folder, old, new):
    """Replaces text in the services' files."""
    for config in folder.glob("*.yaml"):
        config.write_text(config.read_text().replace(old, new))


def test_a_healthy_box_has_no_finding(system, box):
    """[ctl-5.1] Every check has looked."""
    found = report(system, box)
    assert found["healthy"] and found["findings"] == []
    assert {check["result"] for check in found["checks"]} == {"ok"}, found["checks"]
    done = run(system, box)
    assert done.returncode == 0 and "skipped" not in done.stdout


def test_the_broker_is_stopped(system, box):
    """[ctl-5.2] It is tried by MQTT."""
    box.broker.stop()
    try:
        assert codes(system, box) == ["BROKER_UNREACHABLE"]
        done = run(system, box)
        assert done.returncode == 1
        assert "[BROKER_UNREACHABLE]" in done.stdout and str(box.broker.port) in done.stdout
    finally:
        box.broker.start()
    wait.until("the box to be healthy", lambda: not codes(system, box), 30)


def test_the_cloud_is_unreachable(system, box):
    """[ctl-5.2] That the link is down follows from it, and so does that the clocks can't be compared."""
    system.cloud.hub.kill()
    try:
        wait.until("the link to be down", lambda: box.edgehub.metric("skerry_edgehub_link_connected") == 0, 30)
        found = report(system, box)
        assert [finding["code"] for finding in found["findings"]] == ["HUB_UNREACHABLE"]
        assert {"check": "clock", "result": "skipped", "reason": "the hub's time is not known"} in found["checks"]
    finally:
        system.cloud.hub.start()
        wait.until("the box to be healthy", lambda: not codes(system, box), 90)


def test_one_port_is_not_reachable(system, box, copied):
    """[ctl-5.2] The closed port is told from a hub that is down."""
    join = system.cloud.hub.addresses["join"]
    edit(copied, join, f"{join.rpartition(':')[0]}:1")
    assert codes(system, box, config_dir=copied) == ["JOIN_PORT_UNREACHABLE"]


def test_the_name_has_no_address(system, box, copied):
    """[ctl-5.2] DNS."""
    edit(copied, f'"{box.host.address}:', '"hub.invalid:')
    assert (copied / "edgehub.yaml").read_text().count("hub.invalid") == 2
    assert codes(system, box, config_dir=copied) == ["HUB_NAME_UNRESOLVED"]


def test_the_hub_lacks_the_name_that_is_dialled(system, box, copied):
    """[ctl-5.2] SANs: once, though both ports show the certificate."""
    config = copied / "edgehub.yaml"
    config.write_text(re.sub(r"^cloud:\n", "cloud:\n  server_name: hub.example.com\n", config.read_text(), flags=re.M))
    finding, = report(system, box, config_dir=copied)["findings"]
    assert finding["code"] == "HUB_NAME_MISMATCH"
    assert "hub.example.com" in finding["seen"] and "localhost" in finding["seen"]


def test_the_certificate_has_expired(system, box, copied):
    """[ctl-5.2] One that the hub's CA has issued, for a day of last year."""
    pki = system.cloud.folder / "hub/ca"
    key, request, certificate = (copied / name for name in ("k.pem", "r.pem", "c.pem"))
    subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                    key, "-out", request, "-subj", "/O=system:nodes/CN=system:node:edge-1"],
                   check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", pki / "ca.crt", "-CAkey", pki / "ca.key",
                    "-days", "1", "-out", certificate], check=True, stderr=subprocess.DEVNULL, env=faketime("-365d"))
    (copied / "node.pem").write_text(certificate.read_text() + key.read_text())
    assert codes(system, box, config_dir=copied) == ["CERTIFICATE_EXPIRED"]


@pytest.mark.parametrize("offset", ["-10y", "+10m", "+10y"])
def test_the_clock_is_wrong(system, box, offset):
    """[ctl-5.2] No certificate is blamed for it, though by that clock none is valid."""
    assert codes(system, box, env=faketime(offset)) == ["CLOCK_SKEW"]


def test_the_disk_is_full(system, box, copied, tmp_path):
    """[ctl-5.2] That of the state."""
    disk = tmp_path / "state"
    mount_disk(disk, 20 << 20)
    try:
        edit(copied, str(box.state_dir), str(disk))
        assert codes(system, box, config_dir=copied) == ["DISK_LOW"]
        with filled(disk):
            assert codes(system, box, config_dir=copied) == ["DISK_FULL"]
    finally:
        unmount_disk(disk)


def test_a_service_is_down(system, box):
    """[ctl-5.2] Stopped, and there but silent."""
    box.twin.stop()
    try:
        finding, = report(system, box)["findings"]
        assert finding["code"] == "SERVICE_DOWN" and "twin-svc" in finding["seen"]
    finally:
        box.twin.start()
    wait.until("the box to be healthy", lambda: not codes(system, box), 30)
    box.edged.pause()
    try:
        finding, = report(system, box)["findings"]
        assert finding["code"] == "SERVICE_DOWN" and "edged-svc" in finding["seen"]
    finally:
        box.edged.resume()
    wait.until("the box to be healthy", lambda: not codes(system, box), 30)


def test_the_key_and_the_configuration(system, box, copied):
    """[ctl-5.2] Who can read the key; a setting that is none."""
    (copied / "node.pem").chmod(0o644)
    assert codes(system, box, config_dir=copied) == ["KEY_EXPOSED"]
    (copied / "node.pem").chmod(0o600)
    config = copied / "twin.yaml"
    config.write_text(config.read_text() + "color: red\n")
    finding, = report(system, box, config_dir=copied)["findings"]
    assert finding["code"] == "CONFIG_INVALID" and "color" in finding["seen"]


def test_what_services_are_given_by_variables(system, box):
    """[ctl-5.2] It is looked at where the doctor is given the same, as in the compose files."""
    finding, = report(system, box, env={**os.environ, "SKERRY_EDGED_RUNTIME_ENDPOINT": "unix:///run/none.sock"})["findings"]
    assert finding["code"] == "RUNTIME_UNREACHABLE" and "/run/none.sock" in finding["seen"]


def test_a_bundle_has_what_is_known_and_no_key(system, box, tmp_path):
    """[ctl-6.1] Configuration, findings, status, metrics and logs of a running box."""
    out = tmp_path / "bundle.tar.gz"
    subprocess.run(box.host.command(
        system.binaries["skerryctl"], "bundle", f"--dir={box.config_dir}", f"--run-dir={box.run_dir}", f"--out={out}",
        f"--logs={box.edgehub.log}", f"--ops=edgehub-svc={box.edgehub.addresses['ops']}"), check=True, timeout=TIMEOUT)
    with tarfile.open(out) as archive:
        texts = {name: archive.extractfile(name).read().decode() for name in archive.getnames()}
    assert "MISSING" not in texts["MANIFEST"]
    assert json.loads(texts["doctor.json"])["findings"] == []
    assert json.loads(texts["status.json"])["healthy"]
    assert "skerry_edgehub_link_connected 1" in texts["metrics/edgehub-svc.txt"]
    assert "started" in texts[f"logs{box.edgehub.log.resolve()}"]
    assert "system:node:edge-1" in texts["certificate.txt"]
    key = box.identity.read_text().partition("PRIVATE KEY-----")[2].split()[0]
    assert not [name for name, text in texts.items() if "PRIVATE KEY" in text or key in text]
    assert out.stat().st_mode & 0o777 == 0o600


def test_a_box_that_has_not_joined(system, box, tmp_path):
    """[ctl-5.2] That is all there is to say."""
    assert codes(system, box, config_dir=tmp_path) == ["NOT_JOINED"]


@pytest.fixture(name="token")
def fixture_token(system, box, tmp_path):
    """token(text, *flags, hub=…, env=…): what is found of a token by a box that has yet to join as edge-2."""
    def look(text, *flags, hub=True, env=None):
        flags = [*flags, "--node-name=edge-2", *(system.cloud.operator_flags if hub else [])]
        return report(system, box, *flags, config_dir=tmp_path / "new", env={**os.environ, "SKERRY_JOIN_TOKEN": text, **(env or {})})

    return look


def codes_of(found):
    """The codes of a report's findings."""
    return [finding["code"] for finding in found["findings"]]


def results(found):
    """{check: result} of a report."""
    return {check["check"]: check["result"] for check in found["checks"]}


def test_a_good_token(system, box, token):
    """[ctl-5.3] Nothing is in the way of a join, and the token is as good afterwards: by the hub's API, and by its join port."""
    secret = system.cloud.create_token("--single-use", "--node=edge-2")
    cloud = f"--cloud={system.cloud.join_address}"
    found = token(secret, cloud)
    assert found["healthy"] and found["findings"] == []
    assert {name for name, result in results(found).items() if result == "ok"} == {"clock", "hub", "token", "token-age", "disk"}
    found = token(secret, cloud, hub=False)
    assert found["healthy"] and found["findings"] == []
    assert results(found)["token-age"] == "ok"
    reason = "only the hub knows it: --cloud, or --hub"
    assert {"check": "token-age", "result": "skipped", "reason": reason} in token(secret, hub=False)["checks"]
    looks = system.cloud.hub.metric("skerry_cloudhub_token_requests_total", reason="GOOD")
    assert looks >= 1
    assert codes(system, box, cloud, env={**os.environ, "SKERRY_JOIN_TOKEN": secret}) == []
    assert system.cloud.hub.metric("skerry_cloudhub_token_requests_total", reason="GOOD") == looks, "a box that needs none shows none"
    tokens = json.loads(system.cloud.skerryctl("token", "list", "-o", "json", *system.cloud.operator_flags))["tokens"]
    listed, = [each for each in tokens if each["name"] == f"joinTokens/{secret.split('.')[1]}"]
    assert (listed["state"], listed["uses"]) == ("valid", 0)


def test_a_token_that_the_hub_would_refuse(system, token):
    """[ctl-5.3] Each for its own reason, and the secret is in none of them."""
    secret = system.cloud.create_token("--ttl=8h")
    hash_, name, rest = secret.split(".")
    assert codes_of(token(secret[:-1])) == ["TOKEN_MALFORMED"]
    assert codes_of(token(f"{hash_}.{name[::-1]}.{rest}")) == ["TOKEN_UNKNOWN"]
    assert codes_of(token(secret)) == []
    found = token(secret, env=faketime("+450m"))
    assert found["healthy"] and codes_of(found) == ["TOKEN_EXPIRING"]
    found = token(secret, env=faketime("+9h"))
    assert codes_of(found) == ["TOKEN_EXPIRED"] and rest not in json.dumps(found)
    assert codes_of(token(system.cloud.create_token("--node=edge-3"))) == ["TOKEN_WRONG_NODE"]
    system.cloud.skerryctl("token", "revoke", name, *system.cloud.operator_flags)
    assert codes_of(token(secret)) == ["TOKEN_REVOKED"]


def test_a_token_that_the_join_port_refuses(system, box, token, tmp_path):
    """[ctl-5.3] By the box alone, without an operator's certificate; a wrong secret, too. No join was counted, and nothing is logged of secrets."""
    cloud = f"--cloud={system.cloud.join_address}"
    secret = system.cloud.create_token("--single-use", "--node=edge-4")
    hash_, name, rest = secret.split(".")
    joins = system.cloud.hub.metric("skerry_cloudhub_join_requests_total")

    def found(text):
        report_ = token(text, cloud, hub=False)
        assert rest not in json.dumps(report_)
        return codes_of(report_)

    assert found(f"{hash_}.{name}.{rest[::-1]}") == ["TOKEN_UNKNOWN"]
    assert found(f"{hash_}.{name[::-1]}.{rest}") == ["TOKEN_UNKNOWN"]
    assert found(secret) == ["TOKEN_WRONG_NODE"]
    assert system.cloud.hub.metric("skerry_cloudhub_join_requests_total") == joins
    command = box.host.command(system.binaries["skerryctl"], "join", cloud, "--node-name=edge-4", f"--dir={tmp_path / 'edge-4'}")
    subprocess.run(command, check=True, timeout=TIMEOUT, stdout=subprocess.DEVNULL, env={**os.environ, "SKERRY_JOIN_TOKEN": secret})
    assert found(secret) == ["TOKEN_USED"]
    other = system.cloud.create_token()
    system.cloud.skerryctl("token", "revoke", other.split(".")[1], *system.cloud.operator_flags)
    assert found(other) == ["TOKEN_REVOKED"]
    for reason, count in {"TOKEN_UNKNOWN": 2, "TOKEN_USED": 1, "TOKEN_REVOKED": 1}.items():
        assert system.cloud.hub.metric("skerry_cloudhub_token_requests_total", reason=reason) == count, reason
    assert rest not in system.cloud.hub.log.read_text()
    # What a join would be refused with, after so many: the port takes no more tokens from this address.
    wrong = f"{hash_}.{name[::-1]}.{rest}"
    wait.until("the port to have enough", lambda: found(wrong) == ["RATE_LIMITED"], 60)
    wait.until("the port to take tokens again", lambda: found(wrong) == ["TOKEN_UNKNOWN"], 60)


def test_a_token_of_another_hub(system, box, token):
    """[ctl-5.3] By the hash of the CA; and what is no hub's join port."""
    hash_, name, rest = system.cloud.create_token().split(".")
    cloud = f"--cloud={system.cloud.join_address}"
    finding, = token(f"{hash_[::-1]}.{name}.{rest}", cloud)["findings"]
    assert finding["code"] == "CA_HASH_MISMATCH" and hash_ in finding["seen"] and hash_[::-1] in finding["seen"]
    secret = f"{hash_}.{name}.{rest}"
    assert codes_of(token(secret, f"--cloud={system.cloud.hub.addresses['api']}", hub=False)) == ["CA_UNAVAILABLE"]
    assert codes_of(token(secret, f"--cloud={box.host.address}:1")) == ["HUB_UNREACHABLE"]
    assert codes_of(token(secret, f"--hub={box.host.address}:1", hub=False)) == ["HUB_API_FAILED"]


def test_the_runtime_is_stopped(system, box):
    """[ctl-5.2] containerd, of which edged-svc hears too."""
    os.kill(int((box.containerd_dir / "pid").read_text()), signal.SIGKILL)
    try:
        wait.until("containerd to be missed", lambda: codes(system, box) == ["RUNTIME_UNREACHABLE"], 30)
        done = run(system, box)
        assert done.returncode == 1 and "[RUNTIME_UNREACHABLE]" in done.stdout
        assert f"{box.containerd_dir}/run/containerd.sock" in done.stdout
    finally:
        box.start()
    wait.until("the box to be healthy", lambda: not codes(system, box), 60)
