"""The Kubernetes API over plain HTTPS: for loads, where a kubectl for each change would be the load."""

import base64
import http.client
import json
import ssl
import tempfile
import urllib.parse

import yaml

_TIMEOUT = 15


class ApiError(RuntimeError):
    """The API refused; the message is its own."""


def client_context(kubeconfig):
    """TLS with the authority and the identity of a kubeconfig."""
    config = yaml.safe_load(open(kubeconfig, encoding="utf-8"))
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as pem:
        pem.write(base64.b64decode(user["client-certificate-data"]) + b"\n" +
                  base64.b64decode(user["client-key-data"]))
        pem.flush()
        context.load_cert_chain(pem.name)
    return context


class KubeHttp:
    """A client with the identity of a kubeconfig, from a Host. A thread each: connections are not shared."""

    def __init__(self, kubeconfig, host):
        config = yaml.safe_load(open(kubeconfig, encoding="utf-8"))
        self._server = urllib.parse.urlsplit(config["clusters"][0]["cluster"]["server"])
        self._host = host
        self._context = client_context(kubeconfig)
        self._connection = None

    def _connect(self, timeout):
        with self._host.entered():
            connection = http.client.HTTPSConnection(self._server.hostname, self._server.port, timeout=timeout,
                                                     context=self._context)
            connection.connect()
        return connection

    def __call__(self, method, path, body=None, kind="application/json"):
        """One request; the answer's object."""
        if self._connection is None:
            self._connection = self._connect(_TIMEOUT)
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": kind})
            response = self._connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            self._connection.close()
            self._connection = None
            raise
        if response.status >= 300:
            raise ApiError(f"{method} {path}: {response.status} {answer.get('message')}")
        return answer

    def watch(self, path, version):
        """Yields (type, object) of every change after `version`, until the connection ends or is quiet for long."""
        connection = self._connect(_TIMEOUT)
        try:
            connection.request("GET", f"{path}{'&' if '?' in path else '?'}watch=true&resourceVersion={version}")
            response = connection.getresponse()
            if response.status != 200:
                raise ApiError(f"watch {path}: {response.status}")
            rest = b""
            while data := response.read1(65536):
                *lines, rest = (rest + data).split(b"\n")
                for line in filter(None, lines):
                    event = json.loads(line)
                    yield event["type"], event["object"]
        finally:
            connection.close()
