"""The proxy that a download goes through: the one that rustup would take, whose downloads are prepared.

The variables are curl's, https://everything.curl.dev/usingcurl/proxies/env.html: `http_proxy` counts in small
letters only, since a CGI program gets HTTP_PROXY from its client. `no_proxy` is left to urllib.
"""

import os
import urllib.request
from collections.abc import Mapping
from http.client import HTTPResponse


def proxy_for(scheme: str, env: Mapping[str, str]) -> str | None:
    """The proxy for URLs of this scheme, `http` or `https`; None if there is none."""
    names = [f"{scheme}_proxy", *([f"{scheme.upper()}_PROXY"] if scheme != "http" else [])]
    return next((env[name] for name in (*names, "all_proxy", "ALL_PROXY") if env.get(name)), None)


def is_socks(proxy: str | None) -> bool:
    """Whether only rustup knows how to use a proxy."""
    return proxy is not None and proxy.lower().startswith("socks")


def open_url(request: urllib.request.Request, timeout: float) -> HTTPResponse:
    """As urllib.request.urlopen, which raises OSError, through the user's proxy."""
    found = {scheme: proxy_for(scheme, os.environ) for scheme in ("http", "https")}
    usable = {scheme: proxy for scheme, proxy in found.items() if proxy and not is_socks(proxy)}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(usable))
    answer: HTTPResponse = opener.open(request, timeout=timeout)
    return answer
