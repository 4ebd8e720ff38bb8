"""HTTP servers on this machine, each for as long as a test needs it."""

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class QuietHandler:
    """Beside a handler of http.server: a test's output is the test's."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _LoopbackServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no fault of the server's."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _LoopbackServer6(_LoopbackServer):
    address_family = socket.AF_INET6


@contextlib.contextmanager
def serving(handler: type[BaseHTTPRequestHandler], *, ipv6: bool = False) -> Iterator[str]:
    """Serve on a free port of the loopback interface, and yield the URL."""
    kind, host = (_LoopbackServer6, "::1") if ipv6 else (_LoopbackServer, "127.0.0.1")
    with kind((host, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            shown = f"[{host}]" if ipv6 else host
            yield f"http://{shown}:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
