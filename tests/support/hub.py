"""A local hub that imitates ModelScope and Hugging Face as strictly as their clients need.

Both redirect large files to another server, and only that server supports ranges. A request for anything that the real
hubs do not have is kept in `strange`.
"""

from __future__ import annotations

import hashlib
import json
import re
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

LARGE = 100_000
"""Size in bytes from which a file is in large-file storage instead of git."""

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Hub:
    """The files of the hub, its faults, and the requests it got."""

    files: dict[str, bytes]
    repository: str = "acme/toy"
    revisions: tuple[str, ...] = ("master", "main", "v2", COMMIT)
    breaks_after: int | None = None
    """Bytes of a large file after which the connection breaks and the storage stays out of order."""
    says: tuple[int, bytes] | None = None
    """Status and content of every answer, whatever is requested."""
    damaged: bool = False
    """Whether large files arrive with one wrong byte."""
    sent: Counter[str] = field(default_factory=Counter)
    """Bytes sent of each large file."""
    ranges: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    broken: bool = False

    def heal(self) -> None:
        """Repair the storage, and forget what was sent."""
        self.breaks_after, self.broken = None, False
        self.sent.clear()


class HubServer(ThreadingHTTPServer):
    daemon_threads = True
    hub: Hub

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server_port}"

    @property
    def _scheme(self) -> str:
        return "https" if isinstance(self.socket, ssl.SSLSocket) else "http"

    @property
    def storage(self) -> str:
        """The address of large files: on another host, as far as clients can tell."""
        return f"{self._scheme}://localhost:{self.server_port}/storage/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect."""


@contextmanager
def serving(hub: Hub, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Yield the address of the hub, with TLS if it has a certificate."""
    server = HubServer(("127.0.0.1", 0), Handler)
    if tls is not None:  # the handshake happens in the thread of the connection
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.hub = hub
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert hub.strange == []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HubServer

    def do_GET(self) -> None:
        self._route()

    def do_HEAD(self) -> None:
        self._route()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""

    def _route(self) -> None:
        url, repository = urlsplit(self.path), self.server.hub.repository
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        if self.server.hub.says:
            self._answer(*self.server.hub.says)
        elif url.path == "/api/v1/repos/internalAccelerationInfo":
            self._json({"Code": 200, "Data": {}})
        elif url.path == f"/api/v1/models/{repository}/repo/files" and query.keys() == {"Revision", "Recursive"}:
            self._modelscope_listing(query["Revision"])
        elif url.path == f"/api/v1/models/{repository}/repo" and query.keys() == {"Revision", "FilePath"}:
            self._modelscope_file(query["Revision"], query["FilePath"])
        elif found := re.fullmatch(rf"/{repository}/resolve/([^/]+)/([^/]+)", url.path):
            self._huggingface_file(*found.groups())
        elif found := re.fullmatch(r"/storage/([^/]+)", url.path):
            self._storage(found[1])
        else:
            self.server.hub.strange.append(f"{self.command} {self.path}")
            self._answer(404, b"")

    def _modelscope_listing(self, revision: str) -> None:
        hub = self.server.hub
        files = [
            {"Path": name, "Type": "blob", "Size": len(data), "Sha256": sha256(data), "IsLFS": len(data) >= LARGE}
            for name, data in hub.files.items()
        ]
        # A revision that does not exist is not an error there: it has no files.
        self._json({"Code": 200, "Success": True, "Data": {"Files": files if revision in hub.revisions else None}})

    def _modelscope_file(self, revision: str, name: str) -> None:
        hub = self.server.hub
        if revision not in hub.revisions or name not in hub.files:
            self._answer(404, json.dumps({"Code": 404, "Message": f"no {name} at {revision}"}).encode())
        elif len(hub.files[name]) >= LARGE:
            self._answer(302, b"", {"Location": self.server.storage + quote(name)})
        else:
            self._answer(200, hub.files[name])

    def _huggingface_file(self, revision: str, name: str) -> None:
        hub = self.server.hub
        data = hub.files.get(name, b"")
        head = {"X-Repo-Commit": COMMIT}
        if revision not in hub.revisions or name not in hub.files:
            error = "EntryNotFound" if revision in hub.revisions else "RevisionNotFound"
            self._answer(404, b"", {"X-Error-Code": error})
        elif len(data) >= LARGE:
            head |= {"X-Linked-ETag": f'"{sha256(data)}"', "X-Linked-Size": str(len(data))}
            self._answer(302, b"", {**head, "Location": self.server.storage + quote(name)})
        else:
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            self._answer(200, data, {**head, "ETag": f'"{blob}"'})

    def _storage(self, name: str) -> None:
        hub = self.server.hub
        if hub.broken:
            self._answer(503, b"out of order")
            return
        data = hub.files[name]
        if hub.damaged:
            data = data[:-1] + bytes([data[-1] ^ 1])
        start = 0
        if asked := self.headers.get("Range"):
            hub.ranges.append(asked)
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])  # type: ignore[index]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(data) - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if hub.breaks_after is not None:
            data = data[: hub.breaks_after]
            hub.broken = self.close_connection = True
        hub.sent[name] += self.wfile.write(data[start:])

    def _json(self, document: object) -> None:
        self._answer(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
