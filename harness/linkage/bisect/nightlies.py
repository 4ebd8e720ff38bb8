"""Toolchains by their rustup name, each in its own RUSTUP_HOME, so that one can be removed without the
others and an interrupted download is resumed.

Archives are prefetched into rustup's folder of downloads, under their hash, where rustup looks before
it asks the server, and checks what it finds. All else, signatures and hashes included, is left to rustup.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linkage.bisect.contents import ToolchainContents
from linkage.bisect.download import DiskFullError, Downloads, FailedError, NotThereError, UnreachableError
from linkage.bisect.proxies import is_socks, proxy_for
from linkage.bisect.toolchain_home import DOWNLOADS, missing_components, publish, staging
from linkage.errors import ToolchainError
from linkage.toolchain.query import ask
from linkage.toolchain.sources.rustup import folders
from linkage.toolchain.sources.rustup.installation import find_rustup

SERVER = "https://static.rust-lang.org"
_ORIGIN = f"{SERVER}/dist/"
_KEPT_MANIFEST = "manifest.toml"
_TIME_LIMIT = 1800.0
_ABSENT = ("unavailable for download", "is not available", "no release found", "nonexistent rust version")
"""What rustup says if the server does not have a toolchain or one of its components."""
_DISK_FULL = "os error 28"
MANIFEST = "lib/rustlib/multirust-channel-manifest.toml"
"""What rustup leaves in a toolchain that it has installed, below its folder."""
_HEAD = 400
"""Characters at the start of a manifest; its second line is its date."""


def manifest_url(name: str, env: Mapping[str, str]) -> str:
    """The URL of a toolchain's manifest; the layout is rustup's.

    https://forge.rust-lang.org/infra/channel-layout.html
    """
    channel, dash, date = name.partition("-")
    return f"{_server(env)}/dist/{date}{'/' if dash else ''}channel-rust-{channel}.toml"


def _server(env: Mapping[str, str]) -> str:
    return (env.get("RUSTUP_DIST_SERVER") or SERVER).rstrip("/")


def commit_url(name: str, env: Mapping[str, str]) -> str:
    """The URL of the commit that a nightly was built from, beside its manifest."""
    return manifest_url(name, env).removesuffix(".toml") + "-git-commit-hash.txt"


def is_forbidden(name: str, env: Mapping[str, str], downloads: Downloads) -> bool:
    """Whether the server, or a proxy before it, forbids even a toolchain that it has."""
    try:
        downloads.text(f"{manifest_url(name, env)}.sha256")
    except NotThereError as error:
        return error.forbidden
    except FailedError:
        return False
    return False


def of_user(name: str, env: Mapping[str, str], contents: ToolchainContents) -> Path | None:
    """The complete toolchain in the user's own rustup, under its name or as `nightly` of that day."""
    found = folders.find(contents.rustup_name(name), env) if contents.foreign else _of_user(name, env)
    if found is None or missing_components(found, contents):
        return None
    return found


def _of_user(name: str, env: Mapping[str, str]) -> Path | None:
    if found := folders.find(name, env):
        return found
    newest = folders.find("nightly", env) if name.startswith("nightly-") else None
    if newest is None:
        return None
    try:
        with (newest / MANIFEST).open(encoding="utf-8") as file:
            head = file.read(_HEAD)
    except (OSError, UnicodeDecodeError):
        return None
    return newest if f'\ndate = "{name.removeprefix("nightly-")}"\n' in head else None


def fetch(
    name: str, home: Path, downloads: Downloads, env: Mapping[str, str], contents: ToolchainContents
) -> None:
    """Download the archives of a toolchain to where rustup looks for them.

    Raises NotThereError if the server has no such toolchain, FailedError if the download fails: rustup
    may still know another way.
    """
    folder = home / DOWNLOADS
    folder.mkdir(parents=True, exist_ok=True)
    if needs_rustup(env):
        return
    kept = folder / _KEPT_MANIFEST
    if not kept.exists():  # it does not change
        downloads.file(manifest_url(name, env), kept)
    try:
        manifest = kept.read_text(encoding="utf-8", errors="replace")
        for url, digest in archives(manifest, contents):
            if not (folder / digest).exists():
                downloads.file(on_server(url, env), folder / digest, digest)
    except UnreachableError:
        raise
    except (FailedError, NotThereError) as error:
        kept.unlink(missing_ok=True)  # it may be damaged
        raise FailedError(str(error)) from None


def needs_rustup(env: Mapping[str, str]) -> bool:
    """Whether the proxy is of a kind that only rustup knows: SOCKS."""
    return is_socks(proxy_for(_server(env).partition(":")[0], env))


def on_server(url: str, env: Mapping[str, str]) -> str:
    """The URL on the user's server: the manifest of a mirror may name the original one, as rustup knows.

    https://rust-lang.github.io/rustup/environment-variables.html, RUSTUP_DIST_SERVER.
    """
    return f"{_server(env)}/dist/{url.removeprefix(_ORIGIN)}" if url.startswith(_ORIGIN) else url


def archives(manifest: str, contents: ToolchainContents) -> list[tuple[str, str]]:
    """The URLs and hashes of the archives of rustup's minimal profile and more, from a manifest.

    Raises FailedError for what is not a manifest.
    """
    try:
        return _archives(tomllib.loads(manifest), contents)
    except (tomllib.TOMLDecodeError, RecursionError, AttributeError, TypeError) as error:
        raise FailedError(f"the server's manifest cannot be read: {error}") from None


def _archives(data: Mapping[str, Any], contents: ToolchainContents) -> list[tuple[str, str]]:
    found = []
    minimal = data.get("profiles", {}).get("minimal", ["rustc", "rust-std"])
    for package in dict.fromkeys([*minimal, *contents.components]):
        for target in contents.triples if package == "rust-std" else (contents.host,):
            one = _target(data, package, target)
            for url, digest in (("xz_url", "xz_hash"), ("url", "hash")):
                if one.get(url) and one.get(digest):
                    found.append((str(one[url]), str(one[digest])))
                    break
    return found


def _target(data: Mapping[str, Any], package: str, target: str) -> Mapping[str, Any]:
    renamed = data.get("renames", {}).get(package, {}).get("to", package)
    targets = data.get("pkg", {}).get(renamed, {}).get("target", {})
    found = targets.get(target) or targets.get("*") or {}
    return found if isinstance(found, dict) else {}


def install(
    name: str, home: Path, downloads: Downloads, env: Mapping[str, str], contents: ToolchainContents
) -> Path:
    """Let rustup install a toolchain into its home; returns the toolchain's folder.

    Raises NotThereError if not on the server, FailedError with rustup's message, and
    ToolchainError if there is no rustup.
    """
    program = find_rustup(env, name)
    own = {key: value for key, value in env.items() if not key.startswith(("RUSTUP_TOOLCHAIN", "CARGO_"))}
    own.setdefault("RUSTUP_DOWNLOAD_TIMEOUT", str(max(1, round(downloads.stall))))
    with staging(home) as staged:
        return publish(_install(name, staged, program, own, contents), home)


def _install(
    name: str, staged: Path, program: Path, env: Mapping[str, str], contents: ToolchainContents
) -> Path:
    own = {**env, "RUSTUP_HOME": str(staged), "CARGO_HOME": str(staged / "cargo")}
    (staged / "downloads").symlink_to(Path("..", DOWNLOADS), target_is_directory=True)
    options = ["--profile", "minimal", "--no-self-update"]
    options += [word for target in contents.targets for word in ("--target", target)]
    options += [word for component in contents.components for word in ("--component", component)]
    options += ["--force-non-host"] if contents.foreign else []
    answer = ask(
        [program, "toolchain", "install", contents.rustup_name(name), *options],
        own,
        who=name,
        time_limit=_TIME_LIMIT,
    )
    if answer.status != 0:
        complaint = answer.complaint
        if any(text in answer.stderr for text in _ABSENT):
            raise NotThereError(complaint)
        if _DISK_FULL in answer.stderr:
            raise DiskFullError("rustup: the disk is full")
        raise FailedError(f"rustup: {complaint.removeprefix('error: ')}")
    found = next((rustc.parent.parent for rustc in (staged / "toolchains").glob("*/bin/rustc*")), None)
    if found is None:
        raise ToolchainError("rustup installed no rustc", where=f"toolchain {name}")
    if lacking := missing_components(found, contents):
        raise FailedError(f"rustup installed no {', '.join(lacking)}")
    return found
