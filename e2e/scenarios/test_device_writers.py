"""Several writers of one device's desired values, at the same time."""

import threading

import pytest
from cluster import wait

from harness import devices, stubs
from harness.stubs import grpc

ROUNDS = 25
WRITERS = 4


@pytest.fixture(scope="module", name="api")
def fixture_api(system):
    """device-controller-svc with a device of no node: writing needs none."""
    system.cloud.start()
    system.kubectl.apply(devices.model("valve", ("level", "INT", "ReadWrite"), ("flow", "INT", "ReadOnly")),
                         devices.device("valve-1", "valve", "edge-1", level="0", flow=None))
    api = devices.DeviceApi(system.cloud)

    def known():
        try:
            return api.twin("valve-1")
        except grpc.RpcError:
            return None

    wait.until("the API to have the device", known, 30)
    yield api
    api.close()


def race(*writers):
    """Runs them at once: [what each returned, or its RpcError]."""
    results = [None] * len(writers)
    barrier = threading.Barrier(len(writers))

    def run(index, write):
        barrier.wait(20)
        try:
            results[index] = write()
        except grpc.RpcError as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=entry) for entry in enumerate(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def info_of(error):
    """Metadata of a refusal's ErrorInfo."""
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    info = stubs.details.ErrorInfo()
    assert any(detail.Unpack(info) for detail in stubs.status.Status.FromString(details).details)
    return dict(info.metadata)


def test_of_those_who_know_the_same_etag_one_writes(api):
    """[writers-1] The others are told the present value, who wrote it and what of theirs was refused."""
    for number in range(ROUNDS):
        etag = api.twin("valve-1").etag
        values = [str(number * WRITERS + writer + 1) for writer in range(WRITERS)]
        results = race(*[lambda value=value: api.desire("valve-1", etag=etag, level=value) for value in values])
        winners = [index for index, result in enumerate(results) if not isinstance(result, grpc.RpcError)]
        assert len(winners) == 1, [str(result) for result in results]
        present = api.twin("valve-1").properties["level"].desired
        assert present.value == values[winners[0]]
        for value, result in zip(values, results):
            if not isinstance(result, grpc.RpcError):
                continue
            assert result.code() == grpc.StatusCode.ABORTED and stubs.reason_of(result) == "DESIRED_CHANGED", result
            info = info_of(result)
            assert (info["property"], info["refused_value"]) == ("level", value)
            assert (info["value"], info["writer"]) == (present.value, present.writer)
            assert info.get("version", present.version) == present.version


def test_kubectl_and_the_api_at_once(system, api):
    """[writers-2] A version that kubectl has overtaken is refused; without a condition the last one counts. Whatever
    happens, everybody sees one value in the end."""
    for number in range(8):
        version = api.twin("valve-1").properties["level"].desired.version
        by_api, by_kubectl = str(1000 + number), str(2000 + number)
        results = race(lambda v=version, value=by_api: api.desire("valve-1", versions={"level": v}, level=value),
                       lambda value=by_kubectl: devices.desire(system.kubectl, "valve-1", "level", value))
        spec = system.kubectl.get("device", "valve-1")["spec"]["properties"][0]["desired"]["value"]
        refused = isinstance(results[0], grpc.RpcError)
        if refused:
            assert stubs.reason_of(results[0]) == "DESIRED_CHANGED", results[0]
            assert spec == by_kubectl
        assert spec in (by_api, by_kubectl)
        wait.until("the API to say so, too",
                   lambda spec=spec: api.twin("valve-1").properties["level"].desired.value == spec, 20)
        writer = api.twin("valve-1").properties["level"].desired.writer
        assert (writer == "skerry:operator") == (spec == by_api), (writer, spec)


def test_without_a_condition_the_last_one_counts(api):
    """[writers-3] And each is told what it is then."""
    values = [str(5000 + number) for number in range(16)]
    results = race(*[lambda value=value: api.desire("valve-1", level=value) for value in values])
    assert not [result for result in results if isinstance(result, grpc.RpcError)]
    assert api.twin("valve-1").properties["level"].desired.value in values
    history = api.history("valve-1", "level", desired=True)
    assert set(values) & set(history), "of those that were the device's for a moment some may be skipped, not the last one"
    assert history[-1] == api.twin("valve-1").properties["level"].desired.value


@pytest.mark.parametrize("values, code, reason", [
    ({"level": "high"}, grpc.StatusCode.INVALID_ARGUMENT, "VALUE_TYPE"),
    ({"none": "1"}, grpc.StatusCode.INVALID_ARGUMENT, "PROPERTY_UNKNOWN"),
    ({"flow": "1"}, grpc.StatusCode.FAILED_PRECONDITION, "READ_ONLY"),
    ({"level": "1", "flow": "2"}, grpc.StatusCode.FAILED_PRECONDITION, "READ_ONLY"),
])
def test_what_cannot_be_desired_changes_nothing(api, values, code, reason):
    """[writers-4] All that are named or none."""
    before = api.twin("valve-1")
    with pytest.raises(grpc.RpcError) as refusal:
        api.desire("valve-1", **values)
    assert (refusal.value.code(), stubs.reason_of(refusal.value)) == (code, reason), refusal.value
    assert api.twin("valve-1") == before
