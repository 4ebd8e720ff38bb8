"""Compilers from an archive, with the real apt, from an archive in miniature on this machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from debian_archive import LOADER, PROGRAMS, TRIPLET, Archive, Key, Mirror, keys, serve

from harness.errors import ToolchainError
from harness.toolchain import discover, resolve
from harness.toolchain.ask import ask
from harness.toolchain.debian.install import Options, install, remove

COMPILER = ["libc6", "libllvm14", "libstd-rust-1.63", "libstd-rust-dev", "rustc"]
ROOT = Path(__file__).parents[2]


class Keys(NamedTuple):
    trusted: Key
    other: Key


@pytest.fixture(scope="session")
def signers() -> Iterator[Keys]:
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        pytest.skip(f"this machine has no {', '.join(missing)}, with which an archive is made")
    with keys("trusted", "other") as made:
        yield Keys(*made)


@pytest.fixture(scope="session")
def template(signers: Keys, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """One archive for all: copied for each test, which may then spoil it."""
    archive = Archive(tmp_path_factory.mktemp("template") / "debian")
    archive.add_system("bookworm")
    archive.add_compiler("bookworm", "1.63.0+dfsg1-2")
    archive.add_compiler("bookworm", "1.78.0+dfsg1-2~deb12u3", flavour="-web", llvm="16")
    archive.publish("bookworm", signers.trusted)
    return archive


class World:
    """A machine whose apt knows one mirror, and a user on it who has no toolchain."""

    def __init__(self, folder: Path, archive: Archive, mirror: Mirror, signers: Keys) -> None:
        self.archive = archive
        self.mirror = mirror
        self.signers = signers
        self.hooks = folder / "hooks ran"
        self.cache = folder / "a cache"
        self.home = self.cache / "linkage/debian"
        self.etc = folder / "etc"
        (self.etc / "apt.conf.d").mkdir(parents=True)
        (self.etc / "sources.list.d").mkdir()
        self.configuration = folder / "apt.conf"
        self.configuration.write_text(
            f'Dir::Etc "{self.etc}";\n'
            # What a machine may have in its configuration, and what must not count here.
            'APT::Default-Release "nonesuch";\nDir::Cache::pkgcache "";\n'
            'APT::Get::AllowUnauthenticated "true";\nAcquire::AllowInsecureRepositories "true";\n'
            f"APT::Update::Post-Invoke {{ \"touch '{self.hooks}'\"; }};\n"
            f"APT::Update::Post-Invoke-Success {{ \"touch '{self.hooks}'\"; }};\n"
        )
        self.sources(f"deb [signed-by={signers.trusted.public}] {mirror.url} bookworm main\n")
        self.env = {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(folder / "home"),
            "XDG_CACHE_HOME": str(self.cache),
            "APT_CONFIG": str(self.configuration),
        }
        self.said: list[str] = []

    def sources(self, text: str) -> None:
        (self.etc / "sources.list").write_text(text)

    def install(self, spec: str, **options: object) -> Path:
        return install(spec, Options(**options), self.env, self.said.append).folder  # type: ignore[arg-type]

    def refused(self, spec: str, **options: object) -> str:
        """What an installation is refused with; it is one line, and leaves nothing behind."""
        with pytest.raises(ToolchainError) as caught:
            self.install(spec, **options)
        text = str(caught.value)
        assert "\n" not in text
        assert self.left() == []
        return text

    def left(self) -> list[str]:
        """What stands in the folder of compilers beside apt's own state."""
        found = (path.name for path in self.home.glob("*")) if self.home.exists() else ()
        return sorted(name for name in found if name not in ("apt", "install.lock"))

    def linkage(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "harness.cli", "toolchains", *words],
            env=self.env | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def world(tmp_path: Path, template: Archive, signers: Keys) -> Iterator[World]:
    archive = template.copy(tmp_path / "www/debian")
    with serve(tmp_path / "www") as mirror:
        yield World(tmp_path, archive, mirror, signers)


def says(rustc: Path, *words: str) -> str:
    answer = ask([rustc, *words], os.environ, who="test")
    assert answer.status == 0, answer
    return answer.stdout


def test_from_the_machines_mirror_to_a_compiler_that_answers(world: World) -> None:
    folder = world.install("debian:1.63")
    assert folder == world.home / "1.63.0"
    record = json.loads((folder / "debian.json").read_text())
    assert sorted(record["unpacked"]) == COMPILER
    assert record["suites"] == ["bookworm"]
    assert record["verified"] is True
    assert not (folder / "usr/bin/gcc").exists()
    libraries = f"{folder}/lib/{TRIPLET}:{folder}/usr/lib/{TRIPLET}:{folder}/usr/lib/llvm-14/lib"
    assert says(folder / "rustc", "a b", "c") == (
        f"rustc 1.63.0 of bookworm, with {libraries}, --sysroot {folder}/usr a b c\n"
    )
    assert world.left() == ["1.63.0"]
    assert not world.hooks.exists()
    assert world.said[0] == "debian:1.63: asking bookworm"
    assert [line.split()[1] for line in world.said[1:-1]] == [f"[{n}/5]" for n in range(1, 6)]
    assert world.said[-1].startswith(
        "debian:1.63: installed debian-1.63.0 (rustc 1.63.0+dfsg1-2 of bookworm)"
    )


def test_it_is_found_by_every_name_that_means_it(world: World) -> None:
    for spec in ("debian:1.63", "debian:bookworm"):
        with pytest.raises(ToolchainError) as caught:
            resolve(spec, world.env)
        assert str(caught.value) == (
            f"toolchain {spec}: no toolchain {spec}; installed: none "
            f"(help: linkage toolchains install {spec})"
        )
    folder = world.install("debian:bookworm")
    specs = ("debian:1.63", "debian:1.63.0", "debian:bookworm", f"debian:{folder}", f"debian:{folder}/rustc")
    for spec in specs:
        located = resolve(spec, world.env)
        assert (located.name, located.spec, located.rustc) == ("debian-1.63.0", spec, folder / "rustc")
    assert resolve("old=debian:1.63", world.env).name == "old"
    assert discover(world.env) == ["debian:1.63.0"]
    assert discover(world.env | {"RUSTC": str(folder / "rustc")}) == ["debian:1.63.0"]
    for spec in ("debian:1.6", "debian:1.63.1", "debian:1.63.0-web", "debian:trixie"):
        with pytest.raises(ToolchainError, match="installed: debian:1.63.0"):
            resolve(spec, world.env)


def test_installed_again_nothing_is_asked(world: World) -> None:
    world.install("debian:1.63")
    world.mirror.server.asked.clear()
    for spec in ("debian:1.63", "debian:bookworm"):
        assert world.install(spec) == world.home / "1.63.0"
        assert f"{spec}: already installed: debian-1.63.0 (rustc 1.63.0+dfsg1-2)" in world.said[-1]
    assert world.mirror.server.asked == []


def test_a_flavour_of_the_package_has_its_own_folder(world: World) -> None:
    assert world.install("debian:1.78") == world.home / "1.78.0-web"
    assert resolve("debian:1.78", world.env).name == "debian-1.78.0-web"
    assert resolve("debian:1.78.0-web", world.env).name == "debian-1.78.0-web"
    # The suite's own rustc is the older one, and is not the one that is there.
    assert world.install("debian:bookworm") == world.home / "1.63.0"
    assert discover(world.env) == ["debian:1.78.0-web", "debian:1.63.0"]


def test_the_same_release_of_another_suite(world: World) -> None:
    world.install("debian:1.63")
    world.archive.add_system("trixie")
    world.archive.add_compiler("trixie", "1.63.0+dfsg1-9")
    world.archive.publish("trixie", world.signers.trusted)
    assert world.install("debian:trixie") == world.home / "1.63.0"
    assert "trixie has 1.63.0+dfsg1-9; remove debian:1.63.0 first to have that" in world.said[-2]
    assert resolve("debian:trixie", world.env).name == "debian-1.63.0"
    assert says(world.home / "1.63.0/rustc").startswith("rustc 1.63.0 of bookworm")


def test_the_security_archive_stands_on_its_suite(world: World, tmp_path: Path) -> None:
    security = Archive(tmp_path / "www/debian-security")
    security.add_compiler("bookworm-security", "1.96.0+dfsg1-1~deb12u1", flavour="-web", llvm="22")
    security.publish("bookworm-security", world.signers.trusted)
    folder = world.install("debian:bookworm-security")
    assert folder.name == "1.96.0-web"
    assert "libc6" in json.loads((folder / "debian.json").read_text())["unpacked"]
    assert "llvm-22/lib" in says(folder / "rustc")
    remove("debian:1.96", world.env, world.said.append)
    assert world.install("debian:1.96") == folder
    assert "debian:1.96: the mirror has no sid" in world.said


def test_a_mirror_that_was_asked_for(world: World) -> None:
    world.sources("")
    assert "names no mirror of Debian (help: --mirror URL)" in world.refused("debian:1.63")
    missing = world.refused("debian:1.63", mirror=world.mirror.url)
    assert "is signed with a key that this machine does not have" in missing
    keyring = (world.signers.trusted.public,)
    assert world.install("debian:1.63", mirror=world.mirror.url, keyrings=keyring)
    copy = world.install(
        "debian:1.78", mirror=f"file:{world.archive.folder}".replace(" ", "%20"), keyrings=keyring
    )
    assert says(copy / "rustc").startswith("rustc 1.78.0")
    for wrong in ("/a/path", "http://host/a b", "http://host/[trusted=yes]"):
        with pytest.raises(ToolchainError, match="is not the address of a mirror"):
            world.install("debian:1.99", mirror=wrong)
    with pytest.raises(ToolchainError, match="there is no keyring /no/keys.gpg"):
        world.install("debian:1.99", keyrings=(Path("/no/keys.gpg"),))


def test_paragraphs_with_a_key_in_them(world: World) -> None:
    world.sources("")
    key = "".join(f" {line or '.'}\n" for line in world.signers.trusted.armoured.splitlines())
    (world.etc / "sources.list.d/debian.sources").write_text(
        f"Types: deb\nURIs: {world.mirror.url}\nSuites: bookworm\nComponents: main\nSigned-By:\n{key}"
    )
    assert world.install("debian:bookworm")


def test_a_suite_signed_with_another_key(world: World) -> None:
    world.archive.publish("bookworm", world.signers.other)
    for spec in ("debian:bookworm", "debian:1.63"):
        text = world.refused(spec)
        assert f"toolchain {spec}: the suite bookworm is signed with a key that this machine does not" in text
        assert "--keyring FILE" in text
        assert "--allow-unsigned" in text
    folder = world.install("debian:1.63", unsigned=True)
    assert "debian:1.63: NOT checking who signed what is fetched, as was asked for" in world.said
    assert json.loads((folder / "debian.json").read_text())["verified"] is False
    # What was fetched without a check does not count for who asks for one.
    with pytest.raises(ToolchainError, match="the suite bookworm is signed with a key"):
        world.install("debian:1.78")


def test_a_suite_that_is_not_signed(world: World) -> None:
    (world.archive.folder / "dists/bookworm/InRelease").unlink()
    text = world.refused("debian:bookworm")
    assert "the suite bookworm is not signed as it should be" in text
    assert world.install("debian:bookworm", unsigned=True)


def test_an_index_that_the_signature_does_not_cover(world: World) -> None:
    index = next(world.archive.folder.glob("dists/bookworm/main/*/Packages"))
    index.write_bytes(index.read_bytes().replace(b"a package of the tests", b"a package of wolves..."))
    text = world.refused("debian:bookworm")
    assert "the suite bookworm cannot be fetched: Failed to fetch " in text
    assert "Hash Sum mismatch" in text


def spoil(deb: Path, how: str) -> None:
    content = deb.read_bytes()
    if how == "other bytes":
        deb.write_bytes(content.replace(b"libLLVM", b"libEVIL"))
    elif how == "cut short":
        deb.write_bytes(content[:-100])
    else:
        deb.unlink()


@pytest.mark.parametrize(
    ("how", "why"),
    [("other bytes", "Hash Sum mismatch"), ("cut short", "unexpected size"), ("gone", "404")],
)
@pytest.mark.parametrize("unsigned", [False, True])
def test_a_package_that_is_not_what_the_index_says(world: World, how: str, why: str, unsigned: bool) -> None:  # noqa: FBT001
    spoil(next(world.archive.folder.glob("pool/libllvm14_*")), how)
    text = world.refused("debian:1.63", unsigned=unsigned)
    assert text.startswith("toolchain debian:1.63: libllvm14 1:14.0.6-1 cannot be downloaded: ")
    assert why in text


def test_what_the_archive_does_not_have(world: World) -> None:
    text = world.refused("debian:1.99")
    assert "has rustc 1.99; it has " in text
    assert "1.63.0 (rustc of bookworm)" in text
    assert "1.78.0 (rustc-web of bookworm)" in text
    assert "the mirror has no suite forky: " in world.refused("debian:forky")
    world.archive.publish("forky", world.signers.trusted)
    assert f"the suite forky of {world.mirror.url} has no rustc" in world.refused("debian:forky")


def test_what_apt_cannot_resolve(world: World) -> None:
    world.archive.add_compiler("sid", "1.97.0+dfsg1-1")
    world.archive.publish("sid", world.signers.trusted)
    text = world.refused("debian:sid")
    assert "apt finds no way to install rustc 1.97.0+dfsg1-1: rustc : Depends: libc6 (>= 2) but it is" in text


def test_no_network(world: World) -> None:
    world.mirror.server.shutdown()
    world.mirror.server.server_close()
    text = world.refused("debian:1.63")
    assert "the suite bookworm cannot be fetched: Failed to fetch " in text
    assert "Connection refused" in text


def test_a_machine_without_dpkg(world: World, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    assert "this machine has no apt-get and no apt-cache and no apt-config and no dpkg-deb" in (
        _refused_with_path(world, tmp_path / "bin")
    )
    for program in ("apt-get", "apt-cache", "apt-config"):
        (tmp_path / "bin" / program).symlink_to(f"/usr/bin/{program}")
    assert "this machine has no dpkg-deb, which " in _refused_with_path(world, tmp_path / "bin")


def _refused_with_path(world: World, path: Path) -> str:
    world.env["PATH"] = str(path)
    return world.refused("debian:1.63")


def test_a_disk_without_room_for_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(world.cache.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    text = world.refused("debian:1.63")
    assert f"{world.home} has 1 MiB free, and 64 MiB are needed (help: make room" in text


def test_a_disk_that_is_full_in_the_middle(world: World, tmp_path: Path) -> None:
    broken = tmp_path / "bin/dpkg-deb"
    broken.parent.mkdir()
    broken.write_text(
        "#!/bin/sh\necho 'tar: ./usr/lib: Cannot write: No space left on device' >&2\n"
        "echo 'dpkg-deb: error: tar subprocess returned error exit status 2' >&2\nexit 2\n"
    )
    broken.chmod(0o755)
    world.env["PATH"] = f"{broken.parent}:{world.env['PATH']}"
    text = world.refused("debian:1.63")
    assert "cannot be unpacked: tar: ./usr/lib: Cannot write: No space left on device" in text


def test_a_compiler_that_does_not_run_here(world: World) -> None:
    world.archive.add_system("sid")
    world.archive.add_compiler("sid", "1.97.0+dfsg1-1", body="echo 'Illegal instruction' >&2; exit 132")
    world.archive.publish("sid", world.signers.trusted)
    text = world.refused("debian:sid")
    assert "rustc 1.97.0+dfsg1-1 does not run on this machine: exit status 132, saying 'Illegal" in text


def test_removal(world: World, tmp_path: Path) -> None:
    world.install("debian:1.63")
    world.install("debian:1.78")
    with pytest.raises(ToolchainError, match="debian:1.48 is not installed; installed: debian:1.78.0-web, "):
        remove("debian:1.48", world.env, world.said.append)
    with pytest.raises(ToolchainError, match="only what the harness has unpacked itself is removed"):
        remove(f"debian:{world.home}/1.63.0", world.env, world.said.append)
    world.archive.add_compiler("bookworm", "1.63.1+dfsg1-1", flavour="-web")
    world.archive.publish("bookworm", world.signers.trusted)
    world.install("debian:1.63.1")
    with pytest.raises(ToolchainError, match=r"debian:1.63 can mean debian:1.63.1-web and debian:1.63.0"):
        remove("debian:1.63", world.env, world.said.append)
    remove("debian:1.63.1", world.env, world.said.append)
    remove("debian:bookworm", world.env, world.said.append)
    assert world.left() == ["1.78.0-web"]
    assert (world.home / "apt").exists()
    foreign = world.home / "1.70.0/rustc"
    foreign.parent.mkdir()
    foreign.write_text("someone else's")
    with pytest.raises(ToolchainError, match="debian:1.70 is not installed"):
        remove("debian:1.70", world.env, world.said.append)
    remove("debian:1.78", world.env, world.said.append)
    assert world.left() == ["1.70.0"]
    assert foreign.exists()
    assert not (world.home / "apt").exists()
    assert (tmp_path / "www").exists()


def test_a_damaged_one_is_replaced(world: World) -> None:
    folder = world.install("debian:1.63")
    (folder / "debian.json").write_text("{")
    assert discover(world.env) == []
    world.install("debian:1.63")
    assert world.left() == ["1.63.0"]
    assert discover(world.env) == ["debian:1.63.0"]


def test_a_folder_that_someone_unpacked(world: World, tmp_path: Path) -> None:
    root = tmp_path / "it's mine" / "1.63"
    root.mkdir(parents=True)
    for deb in world.archive.folder.glob("pool/*"):
        if deb.name.split("_")[0] in COMPILER:
            subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
    located = resolve(f"debian:{root}", world.env)
    assert located.name == "debian-1.63"
    assert located.rustc.is_relative_to(world.home)
    libraries = f"{root}/lib/{TRIPLET}:{root}/usr/lib/{TRIPLET}:{root}/usr/lib/llvm-14/lib"
    assert says(located.rustc, "-vV") == (
        f"rustc 1.63.0 of bookworm, with {libraries}, --sysroot {root}/usr -vV\n"
    )
    assert sorted(path.name for path in root.iterdir()) == ["lib", "usr"]
    written = located.rustc.stat().st_mtime_ns
    assert resolve(f"debian:{root}", world.env).rustc.stat().st_mtime_ns == written
    # It names the compiler by its path, so that a rebuilt one is known for another.
    assert str(root / "usr/bin/rustc").replace("'", "'\"'\"'") in located.rustc.read_text()
    (root / LOADER).unlink()
    assert LOADER not in resolve(f"debian:{root}", world.env).rustc.read_text()
    own = root / "rustc"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert resolve(f"debian:{root}", world.env).rustc == own
    with pytest.raises(ToolchainError, match=f"there is no usr/bin/rustc in {tmp_path}"):
        resolve(f"debian:{tmp_path}", world.env)
    with pytest.raises(ToolchainError, match="a folder needs no installing"):
        world.install(f"debian:{root}")


def test_two_at_once(world: World) -> None:
    world.mirror.server.stall = "libllvm14"
    first = world.linkage("install", "debian:1.63")
    assert world.mirror.server.stalled.wait(30)
    second = world.linkage("install", "debian:1.63")
    assert second.stdout is not None
    assert second.stdout.readline() == f"waiting for another installation into {world.home}\n"
    world.mirror.server.go_on.set()
    out, err = first.communicate(timeout=60)
    assert (first.returncode, err) == (0, "")
    assert "debian:1.63: installed debian-1.63.0 " in out.splitlines()[-1]
    out, err = second.communicate(timeout=60)
    assert (second.returncode, err) == (0, "")
    assert "debian:1.63: already installed: debian-1.63.0 " in out
    assert sum("pool/rustc_1.63" in path for path in world.mirror.server.asked) == 1


def test_interrupted_or_killed(world: World) -> None:
    world.mirror.server.stall = "libllvm14"
    running = world.linkage("install", "debian:1.63")
    assert world.mirror.server.stalled.wait(30)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=30)
    assert (running.returncode, err) == (2, "linkage: interrupted\n")
    assert world.left() == []
    world.mirror.server.stalled.clear()
    running = world.linkage("install", "debian:1.63")
    assert world.mirror.server.stalled.wait(30)
    running.kill()
    running.communicate(timeout=30)
    assert [name[:4] for name in world.left()] == ["new-"]
    assert discover(world.env) == []
    world.mirror.server.stall = ""
    world.mirror.server.go_on.set()
    world.install("debian:1.63")
    assert world.left() == ["1.63.0"]


def test_several_on_the_command_line(world: World) -> None:
    running = world.linkage("install", "debian:1.63", "debian:forky", "debian:1.78", "debian:1.63")
    out, err = running.communicate(timeout=60)
    assert running.returncode == 4
    assert err.startswith("linkage: toolchain debian:forky: the mirror has no suite forky: ")
    assert err.count("\n") == 1
    assert out.count("installed debian-1.63.0") == out.count("installed debian-1.78.0-web") == 1
    running = world.linkage("remove", "debian:1.63", "debian:1.78")
    assert running.communicate(timeout=60) == (
        f"debian:1.63: removed {world.home}/1.63.0\ndebian:1.78: removed {world.home}/1.78.0-web\n",
        "",
    )
    assert world.left() == []
    running = world.linkage("install", "debian:1.63", "sable")
    assert "toolchain sable: it is neither a rustup name nor" in running.communicate(timeout=60)[1]
    assert world.left() == []
