"""Networks as they are: proxies, hosts with IPv6 alone, other hosts; with the real rustup."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from linkage.toolchain.sources.rustup.folders import machine_host
from support.loopback import QuietHandler, serving
from support.nightly_server import NightlyServer, serve
from support.scripted_rustc import FAILS, breaking

HOST = machine_host()
MIRROR = "http://mirror.invalid"
"""A name that nobody has: https://www.rfc-editor.org/rfc/rfc2606#section-2"""
WORDS = ("answer.yaml[size=1]", "--good", "2026-02-09", "--bad", "2026-02-12", "--no-github")
ANSWER = "## answer.yaml: 1 variant fails: introduced by nightly-2026-02-11\n"


@pytest.fixture
def scripts(own_rustup: Path, rustc: Path) -> dict[bool, str]:
    """The compilers before and after a change."""
    del own_rustup
    return {bad: breaking(rustc, FAILS if bad else ":") for bad in (False, True)}


@pytest.fixture
def nightlies(scripts: dict[bool, str]) -> Iterator[NightlyServer]:
    with serve(HOST, lambda day: scripts[day >= "2026-02-11"]) as server:
        yield server


def bisect(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, since Python looks for proxies when it starts."""
    command = [sys.executable, "-m", "linkage", "bisect", *WORDS, *words]
    own = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(command, env=own | env, capture_output=True, text=True, check=False)


def answered(done: subprocess.CompletedProcess[str]) -> bool:
    assert (done.returncode, done.stdout.startswith(ANSWER)) == (0, True), done.stdout + done.stderr
    return True


@pytest.fixture
def proxy(nightlies: NightlyServer) -> Iterator[tuple[str, list[str]]]:
    """A proxy that knows where the mirror is, and what was asked of it."""
    asked: list[str] = []

    class Proxy(QuietHandler, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            known = self.path.startswith(f"{MIRROR}/")
            request = urllib.request.Request(  # noqa: S310 - of this machine
                f"{nightlies.url}{urlsplit(self.path).path}", method=self.command
            )
            if "Range" in self.headers:
                request.add_header("Range", self.headers["Range"])
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            try:
                with direct.open(request) as answer:
                    status, body, headers = answer.status, answer.read(), answer.headers
            except urllib.error.HTTPError as error:
                status, body, headers = error.code, b"", error.headers
            self.send_response(status if known else 502)
            self.send_header("Content-Length", str(len(body)))
            if "Content-Range" in headers:
                self.send_header("Content-Range", headers["Content-Range"])
            self.end_headers()
            self.wfile.write(body)

    with serving(Proxy) as url:
        yield url, asked


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy", "ALL_PROXY"])
def test_a_proxy_is_the_only_way(nightlies: NightlyServer, proxy: tuple[str, list[str]], name: str) -> None:
    url, asked = proxy
    nightlies.origin = MIRROR  # which the manifests name
    assert answered(bisect({"RUSTUP_DIST_SERVER": MIRROR, name: url}))
    assert {urlsplit(one).netloc for one in asked} == {"mirror.invalid"}
    assert nightlies.installs()


def test_a_host_that_needs_no_proxy_is_asked_directly(
    nightlies: NightlyServer, proxy: tuple[str, list[str]]
) -> None:
    url, asked = proxy
    for name in ("NO_PROXY", "no_proxy"):
        env = {"RUSTUP_DIST_SERVER": nightlies.url, "http_proxy": url, name: "example.com,127.0.0.1"}
        assert answered(bisect(env, "--session", f"{name}.log"))
    assert asked == []


def test_a_name_that_rustup_does_not_take_is_no_proxy(
    nightlies: NightlyServer, proxy: tuple[str, list[str]]
) -> None:
    """A part of the downloads through it, and a part not, would be a riddle."""
    url, asked = proxy
    assert answered(bisect({"RUSTUP_DIST_SERVER": nightlies.url, "HTTP_PROXY": url}))
    assert asked == []


def test_a_proxy_that_is_gone_is_named(nightlies: NightlyServer) -> None:
    """Nothing is asked around it, and nobody is taken for missing."""
    env = {"RUSTUP_DIST_SERVER": nightlies.url, "http_proxy": "http://127.0.0.1:9"}
    done = bisect(env, "--session", "mine.log", "--stall", "1")
    assert done.returncode == 4, done.stdout + done.stderr
    assert "toolchains in a row could not be downloaded" in done.stderr
    assert nightlies.asked == []
    assert "missing " not in Path("mine.log").read_text()
    env = {"RUSTUP_DIST_SERVER": nightlies.url}
    again = [sys.executable, "-m", "linkage", "bisect", "--resume", "mine.log"]
    own = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    assert answered(subprocess.run(again, env=own | env, capture_output=True, text=True, check=False))


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as one:
            one.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_host_with_ipv6_alone(scripts: dict[bool, str]) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no IPv6, not even its own ::1")
    with serve(HOST, lambda day: scripts[day >= "2026-02-11"], ipv6=True) as server:
        assert server.url.startswith("http://[::1]:")
        done = bisect({"RUSTUP_DIST_SERVER": server.url})
        assert answered(done)
        assert server.installs()
        assert "::1" not in done.stdout


def test_compilers_of_another_host(scripts: dict[bool, str], tmp_path: Path) -> None:
    """They stand beside those of this machine, and the answer names their host."""
    other = HOST.replace("x86_64", "i686") if "x86_64" in HOST else HOST.replace("gnu", "musl")
    with serve(other, lambda day: scripts[day >= "2026-02-11"]) as server:
        done = bisect({"RUSTUP_DIST_SERVER": server.url}, "--host", other)
    assert answered(done)
    assert f"\nhost triple: {other}\n" in done.stdout
    installed = {one.name for one in (tmp_path / "cache/bisect/toolchains").glob("*")}
    assert f"nightly-2026-02-11+{other}" in installed
    assert not [name for name in installed if not name.endswith(f"+{other}")]
