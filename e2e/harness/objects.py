"""Numbers that travel as Kubernetes users see them: ConfigMaps of pods down to the box, pod status up to the API."""

import json
import threading
import time

from . import pods, stubs
from .history import Kind
from .kube_http import ApiError, KubeHttp
from .stubs import grpc

DOWN, UP = "down/configmaps", "up/pods"
_PODS = "/api/v1/namespaces/default/pods"
_MAPS = "/api/v1/namespaces/default/configmaps"
_MERGE = "application/merge-patch+json"
_CALL_TIMEOUT = 2


class BoxObjects:
    """The objects of one box: `count` pods, each with a ConfigMap."""

    def __init__(self, history, system, node, count=3):
        self._history = history
        self._node = node
        self._api = KubeHttp(system.cloud.admin_kubeconfig, system.cloud.host)  # Of the thread that changes the cloud.
        self._channel = stubs.unix_channel(node.run_dir / "edge-meta.sock")
        self._meta = stubs.meta.MetaServiceStub(self._channel)
        self.keys = [f"default/{node.name}-{n}" for n in range(count)]
        self._uids = {}
        self._numbers = {DOWN: 0, UP: 0}
        self._closed = False
        self._call = None
        self.failures = []
        self.refused = []  # What edge-meta-svc said to reports that it did not take.
        self._threads = [threading.Thread(target=self._loop, args=(body, ), daemon=True)
                         for body in (self._watch_box, _ApiWatch(self, system).run)]

    def start(self):
        """Makes the objects, and begins to look for changes at both ends."""
        for key in self.keys:
            name = key.partition("/")[2]
            volume, mount = pods.volume_from_config_map(name, "/etc/load")
            self._history.add(Kind.SENT, DOWN, self._node.name, key, 0)
            self._api("POST", _MAPS, pods.config_map(name, number="0"))
            pod = self._api("POST", _PODS, pods.pod(name, node=self._node.name, volumes=[volume],
                                                    container={"volumeMounts": [mount]}))
            self._uids[key] = pod["metadata"]["uid"]
        status = {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {}}
        report = stubs.report.NodeReport(status_json=json.dumps(status).encode())
        self._meta.PutReport(stubs.meta.PutReportRequest(type="nodes", key=self._node.name,
                                                         value=report.SerializeToString()), timeout=_CALL_TIMEOUT)
        for thread in self._threads:
            thread.start()
        return self

    def close(self):
        """The objects stay. The API's watch ends with the API."""
        self._closed = True
        if self._call is not None:
            self._call.cancel()
        self._threads[0].join(10)
        self._channel.close()

    def take_failures(self):
        """What this end found to be broken since it was last asked."""
        failures, self.failures = self.failures, []
        return failures

    # ---- sending

    def change(self, key):
        """The next value of a ConfigMap."""
        self._numbers[DOWN] += 1
        number = self._numbers[DOWN]
        self._history.add(Kind.SENT, DOWN, self._node.name, key, number)
        self._api("PATCH", f"{_MAPS}/{key.partition('/')[2]}", {"data": {"number": str(number)}}, _MERGE)
        self._history.add(Kind.ACKED, DOWN, self._node.name, key, number)

    def report(self, key):
        """The next status of a pod. False if the box did not say that it has it."""
        self._numbers[UP] += 1
        number, stamp = self._numbers[UP], f"{time.time():.6f}"
        status = {"phase": "Running", "message": str(number), "reason": stamp,
                  "conditions": [{"type": "Ready", "status": "True"}]}
        report = stubs.report.PodReport(uid=self._uids[key], status_json=json.dumps(status).encode())
        self._history.add(Kind.SENT, UP, self._node.name, key, number, stamp=stamp)
        try:
            self._meta.PutReport(stubs.meta.PutReportRequest(type="pods", key=key, value=report.SerializeToString()),
                                 timeout=_CALL_TIMEOUT)
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                self.refused.append(f"{error.code().name}: {error.details()}")
            return False
        self._history.add(Kind.ACKED, UP, self._node.name, key, number)
        return True

    # ---- receiving

    def _loop(self, body):
        while not self._closed:
            try:
                body()
            except (grpc.RpcError, OSError, ApiError, ValueError):
                time.sleep(0.02)  # The service is being killed, or is not there yet.
            except Exception as error:  # pylint: disable=broad-except
                self.failures.append(repr(error))
                return

    _token = ""

    def _watch_box(self):
        """What edge-meta-svc shows to its neighbours."""
        request = stubs.meta.WatchObjectsRequest(types=["configmaps"], resume_token=self._token)
        snapshot = set() if not self._token else None
        self._call = self._meta.WatchObjects(request)
        try:
            for response in self._call:
                kind = response.WhichOneof("event")
                if kind == "upserted":
                    self._applied_at_box(response.upserted, snapshot)
                elif kind == "deleted" and response.deleted.key in self.keys:
                    self._history.add(Kind.REMOVED, DOWN, self._node.name, response.deleted.key)
                elif kind == "synced" and snapshot is not None:
                    self._missing_in(snapshot)
                    snapshot = None
                self._token = response.resume_token or self._token
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.OUT_OF_RANGE:
                self._token = ""
            raise

    def _last_applied(self, stream, key):
        return self._history.last(Kind.APPLIED, (stream, self._node.name, key))

    def _applied_at_box(self, obj, snapshot):
        if obj.key not in self.keys:
            return
        number = int(json.loads(obj.object)["data"]["number"])
        if snapshot is not None:
            snapshot.add(obj.key)
            if number == self._last_applied(DOWN, obj.key):
                return  # A snapshot shows what is known, too.
        self._history.add(Kind.APPLIED, DOWN, self._node.name, obj.key, number)

    def _missing_in(self, snapshot):
        for key in self.keys:
            if key not in snapshot and self._last_applied(DOWN, key) >= 0:
                self._history.add(Kind.REMOVED, DOWN, self._node.name, key)

    def applied_at_api(self, pod):
        """The API has a status of a pod."""
        key, status = f"default/{pod['metadata']['name']}", pod.get("status", {})
        if key not in self.keys or "message" not in status:
            return
        number = int(status["message"])
        if number == self._last_applied(UP, key):
            return  # Another part of the pod has changed.
        self._history.add(Kind.APPLIED, UP, self._node.name, key, number, stamp=status["reason"])


class _ApiWatch:
    """The API's pods, from where the last watch ended."""

    def __init__(self, box, system):
        self._box = box
        self._api = KubeHttp(system.cloud.admin_kubeconfig, system.cloud.host)
        self._version = None

    def run(self):
        """One list, if it is the first, and one watch."""
        if self._version is None:
            listed = self._api("GET", _PODS)
            self._version = listed["metadata"]["resourceVersion"]
            for pod in listed["items"]:
                self._box.applied_at_api(pod)
        for kind, pod in self._api.watch(_PODS, self._version):
            if kind == "ERROR":
                self._version = None
                return
            self._version = pod["metadata"]["resourceVersion"]
            self._box.applied_at_api(pod)
