"""What is at the ends of KubeEdge's rules: an HTTP server, a program of the box, who looks after dead letters."""

import dataclasses
import http.server
import json
import subprocess
import threading

from cluster.ports import Ports
from harness import stubs
from harness.stubs import grpc


@dataclasses.dataclass(frozen=True)
class Request:
    """What a Peer was asked."""

    method: str
    path: str
    body: str
    headers: dict  # By names in lower case.

    @property
    def key(self):
        """By which a repetition is known."""
        return self.headers.get("idempotency-key")


def yes(_request):
    """The answer of a Peer that has no other."""
    return 200, ""


class Peer:
    """An HTTP server: a service of a box, or a target in the cloud. Its port stays when it is down and up again."""

    def __init__(self):
        self._ports = Ports()
        self.port = self._ports.take("127.0.0.1")
        self.requests = []
        self.answer = yes  # Of a Request, to status and body.
        self._server = None
        self._thread = None
        self.start()

    @property
    def url(self):
        """Without a path."""
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        """Takes requests, if it does not."""
        if self._server is not None:
            return
        peer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Of HTTP/1.0: a connection is over with its answer, so that nobody is served once the peer is down."""

            def handle(self):
                try:
                    super().handle()
                except ConnectionError:  # Who asked has been killed.
                    pass

            def __getattr__(self, name):
                if name.startswith("do_"):
                    return self._take
                raise AttributeError(name)

            def _take(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = Request(self.command, self.path, body.decode(),
                                  {name.lower(): value for name, value in self.headers.items()})
                peer.requests.append(request)
                status, text = peer.answer(request)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def kill(self):
        """Refuses connections."""
        if self._server is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(20)
        self._server = None

    def asked(self, path):
        """What came for a path and what is below it."""
        return [request for request in list(self.requests) if request.path.startswith(path)]

    def bodies(self, path):
        """In the order in which they first came: a repetition has the key of the first."""
        return list({request.key: request.body for request in self.asked(path)}.values())


def post_on_box(node, target_url, payload):
    """A program of the box leaves a message for the cloud; returns the answer, a dict."""
    done = subprocess.run(node.host.command(
        "curl", "-sS", "--max-time", "30", "-d", "@-", f"http://{node.servicebus.addresses['posts']}/"),
        input=json.dumps({"method": "POST", "targetURL": target_url, "payload": payload}), text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(f"servicebus-svc: {done.stderr.strip()}")
    return json.loads(done.stdout)


class DeadLetters:
    """router-svc's gRPC API, as who has this certificate of the hub's clients. Each call dials: the service may have
    been killed."""

    def __init__(self, cloud, client="operator"):
        self._router = cloud.router
        self._credentials = grpc.ssl_channel_credentials(
            *[(cloud.clients / name).read_bytes() for name in ("ca.crt", f"{client}.key", f"{client}.crt")])

    def _call(self, method, request):
        with grpc.secure_channel(self._router.addresses["api"], self._credentials) as channel:
            return getattr(stubs.router.RouterServiceStub(channel), method)(request, timeout=20)

    def list(self, rule="", page_size=0):
        """All of a rule of namespace default, or of all rules, the oldest first, with what they say."""
        name = f"namespaces/default/rules/{rule}" if rule else ""
        found, token = [], ""
        while True:
            page = self._call("ListDeadLetters", stubs.router.ListDeadLettersRequest(
                rule=name, page_size=page_size, page_token=token, payloads=True))
            found += page.dead_letters
            token = page.next_page_token
            if not token:
                return found

    def replay(self, name):
        """It waits again."""
        self._call("ReplayDeadLetter", stubs.router.ReplayDeadLetterRequest(name=name))

    def drop(self, name):
        """It is gone."""
        self._call("DropDeadLetter", stubs.router.DropDeadLetterRequest(name=name))
