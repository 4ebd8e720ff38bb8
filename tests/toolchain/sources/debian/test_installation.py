"""Compilers from an archive, with the real apt, from an archive in miniature on this machine."""

import json
import shutil
from pathlib import Path

import pytest

from linkage.errors import ToolchainError
from linkage.toolchain import discover, resolve
from linkage.toolchain.sources.debian.installation import remove
from support.debian_archive import TRIPLET, DebianArchive
from support.debian_machine import COMPILER, DebianMachine, says


def test_from_the_machines_mirror_to_a_compiler_that_answers(machine: DebianMachine) -> None:
    folder = machine.install("debian:1.63")
    assert folder == machine.home / "1.63.0"
    record = json.loads((folder / "debian.json").read_text())
    assert sorted(record["unpacked"]) == COMPILER
    assert record["suites"] == ["bookworm"]
    assert record["verified"] is True
    assert not (folder / "usr/bin/gcc").exists()
    libraries = f"{folder}/lib/{TRIPLET}:{folder}/usr/lib/{TRIPLET}:{folder}/usr/lib/llvm-14/lib"
    assert says(folder / "rustc", "a b", "c") == (
        f"rustc 1.63.0 of bookworm, with {libraries}, --sysroot {folder}/usr a b c\n"
    )
    assert machine.left() == ["1.63.0"]
    assert not machine.hooks.exists()
    assert machine.said[0] == "debian:1.63: searching bookworm"
    assert [line.split()[1] for line in machine.said[1:-1]] == [f"[{n}/5]" for n in range(1, 6)]
    assert machine.said[-1].startswith(
        "debian:1.63: installed debian-1.63.0 (rustc 1.63.0+dfsg1-2 of bookworm)"
    )


def test_it_is_found_by_every_name_that_means_it(machine: DebianMachine) -> None:
    for spec in ("debian:1.63", "debian:bookworm"):
        with pytest.raises(ToolchainError) as caught:
            resolve(spec, machine.env)
        assert str(caught.value) == (
            f"toolchain {spec}: not installed; found: none (help: linkage toolchains install {spec})"
        )
    folder = machine.install("debian:bookworm")
    specs = ("debian:1.63", "debian:1.63.0", "debian:bookworm", f"debian:{folder}", f"debian:{folder}/rustc")
    for spec in specs:
        located = resolve(spec, machine.env)
        assert (located.name, located.spec, located.rustc) == ("debian-1.63.0", spec, folder / "rustc")
    assert resolve("old=debian:1.63", machine.env).name == "old"
    assert discover(machine.env) == ["debian:1.63.0"]
    assert discover(machine.env | {"RUSTC": str(folder / "rustc")}) == ["debian:1.63.0"]
    for spec in ("debian:1.6", "debian:1.63.1", "debian:1.63.0-web", "debian:trixie"):
        with pytest.raises(ToolchainError, match=r"not installed; found: debian:1\.63\.0"):
            resolve(spec, machine.env)


def test_installed_again_nothing_is_asked(machine: DebianMachine) -> None:
    machine.install("debian:1.63")
    machine.mirror.server.asked.clear()
    for spec in ("debian:1.63", "debian:bookworm"):
        assert machine.install(spec) == machine.home / "1.63.0"
        assert f"{spec}: already installed: debian-1.63.0 (rustc 1.63.0+dfsg1-2)" in machine.said[-1]
    assert machine.mirror.server.asked == []


def test_a_flavour_of_the_package_has_its_own_folder(machine: DebianMachine) -> None:
    assert machine.install("debian:1.78") == machine.home / "1.78.0-web"
    assert resolve("debian:1.78", machine.env).name == "debian-1.78.0-web"
    assert resolve("debian:1.78.0-web", machine.env).name == "debian-1.78.0-web"
    # The suite's own rustc is the older one, and is not the one that is there.
    assert machine.install("debian:bookworm") == machine.home / "1.63.0"
    assert discover(machine.env) == ["debian:1.78.0-web", "debian:1.63.0"]


def test_the_same_release_of_another_suite(machine: DebianMachine) -> None:
    machine.install("debian:1.63")
    machine.archive.add_system("trixie")
    machine.archive.add_compiler("trixie", "1.63.0+dfsg1-9")
    machine.archive.publish("trixie", machine.signers.trusted)
    assert machine.install("debian:trixie") == machine.home / "1.63.0"
    assert "trixie has 1.63.0+dfsg1-9; to install it, remove debian:1.63.0 first" in machine.said[-2]
    assert resolve("debian:trixie", machine.env).name == "debian-1.63.0"
    assert says(machine.home / "1.63.0/rustc").startswith("rustc 1.63.0 of bookworm")


def test_security_archive_is_based_on_its_suite(machine: DebianMachine, tmp_path: Path) -> None:
    security = DebianArchive(tmp_path / "www/debian-security")
    security.add_compiler("bookworm-security", "1.96.0+dfsg1-1~deb12u1", flavour="-web", llvm="22")
    security.publish("bookworm-security", machine.signers.trusted)
    folder = machine.install("debian:bookworm-security")
    assert folder.name == "1.96.0-web"
    assert "libc6" in json.loads((folder / "debian.json").read_text())["unpacked"]
    assert "llvm-22/lib" in says(folder / "rustc")
    remove("debian:1.96", machine.env, machine.said.append)
    assert machine.install("debian:1.96") == folder
    assert "debian:1.96: the mirror has no suite sid" in machine.said


def test_a_mirror_that_was_asked_for(machine: DebianMachine) -> None:
    machine.sources("")
    assert "(help: name one with --mirror URL)" in machine.refused("debian:1.63")
    missing = machine.refused("debian:1.63", mirror=machine.mirror.url)
    assert "is signed with a key that this machine does not have" in missing
    keyring = (machine.signers.trusted.public,)
    assert machine.install("debian:1.63", mirror=machine.mirror.url, keyrings=keyring).exists()
    copy = machine.install(
        "debian:1.78", mirror=f"file:{machine.archive.folder}".replace(" ", "%20"), keyrings=keyring
    )
    assert says(copy / "rustc").startswith("rustc 1.78.0")
    for wrong in ("/a/path", "http://host/a b", "http://host/[trusted=yes]"):
        with pytest.raises(ToolchainError, match=r"--mirror .* is not an address"):
            machine.install("debian:1.99", mirror=wrong)
    with pytest.raises(ToolchainError, match=r"no such keyring: /no/keys\.gpg"):
        machine.install("debian:1.99", keyrings=(Path("/no/keys.gpg"),))


def test_paragraphs_with_a_key_in_them(machine: DebianMachine) -> None:
    machine.sources("")
    key = "".join(f" {line or '.'}\n" for line in machine.signers.trusted.armoured.splitlines())
    (machine.etc / "sources.list.d/debian.sources").write_text(
        f"Types: deb\nURIs: {machine.mirror.url}\nSuites: bookworm\nComponents: main\nSigned-By:\n{key}"
    )
    assert machine.install("debian:bookworm").exists()


def test_a_suite_signed_with_another_key(machine: DebianMachine) -> None:
    machine.archive.publish("bookworm", machine.signers.other)
    for spec in ("debian:bookworm", "debian:1.63"):
        text = machine.refused(spec)
        assert f"toolchain {spec}: the suite bookworm is signed with a key that this machine does not" in text
        assert "--keyring FILE" in text
        assert "--allow-unsigned" in text
    folder = machine.install("debian:1.63", unsigned=True)
    assert "debian:1.63: signatures are NOT checked, because of --allow-unsigned" in machine.said
    assert json.loads((folder / "debian.json").read_text())["verified"] is False
    # What was fetched without a check does not count for who asks for one.
    with pytest.raises(ToolchainError, match="the suite bookworm is signed with a key"):
        machine.install("debian:1.78")


def test_a_suite_that_is_not_signed(machine: DebianMachine) -> None:
    (machine.archive.folder / "dists/bookworm/InRelease").unlink()
    text = machine.refused("debian:bookworm")
    assert "the suite bookworm has no valid signature" in text
    assert machine.install("debian:bookworm", unsigned=True).exists()


def test_an_index_that_the_signature_does_not_cover(machine: DebianMachine) -> None:
    index = next(machine.archive.folder.glob("dists/bookworm/main/*/Packages"))
    index.write_bytes(index.read_bytes().replace(b"a package of the tests", b"a package of wolves..."))
    text = machine.refused("debian:bookworm")
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
def test_package_that_differs_from_the_index(
    machine: DebianMachine, how: str, why: str, *, unsigned: bool
) -> None:
    spoil(next(machine.archive.folder.glob("pool/libllvm14_*")), how)
    text = machine.refused("debian:1.63", unsigned=unsigned)
    assert text.startswith("toolchain debian:1.63: libllvm14 1:14.0.6-1 cannot be downloaded: ")
    assert why in text


def test_what_the_archive_does_not_have(machine: DebianMachine) -> None:
    text = machine.refused("debian:1.99")
    assert "has rustc 1.99; it has " in text
    assert "1.63.0 (rustc of bookworm)" in text
    assert "1.78.0 (rustc-web of bookworm)" in text
    assert "the mirror has no suite forky: " in machine.refused("debian:forky")
    machine.archive.publish("forky", machine.signers.trusted)
    assert f"the suite forky of {machine.mirror.url} has no rustc" in machine.refused("debian:forky")


def test_what_apt_cannot_resolve(machine: DebianMachine) -> None:
    machine.archive.add_compiler("sid", "1.97.0+dfsg1-1")
    machine.archive.publish("sid", machine.signers.trusted)
    text = machine.refused("debian:sid")
    assert "apt cannot resolve rustc 1.97.0+dfsg1-1: rustc : Depends: libc6 (>= 2) but it is" in text


def test_no_network(machine: DebianMachine) -> None:
    machine.mirror.server.shutdown()
    machine.mirror.server.server_close()
    text = machine.refused("debian:1.63")
    assert "the suite bookworm cannot be fetched: Failed to fetch " in text
    assert "Connection refused" in text


def test_a_machine_without_dpkg(machine: DebianMachine, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    assert "Debian packages cannot be unpacked here: apt-get, apt-cache, apt-config, dpkg-deb not found" in (
        _refused_with_path(machine, tmp_path / "bin")
    )
    for program in ("apt-get", "apt-cache", "apt-config"):
        (tmp_path / "bin" / program).symlink_to(f"/usr/bin/{program}")
    assert "Debian packages cannot be unpacked here: dpkg-deb not found" in _refused_with_path(
        machine, tmp_path / "bin"
    )


def _refused_with_path(machine: DebianMachine, path: Path) -> str:
    machine.env["PATH"] = str(path)
    return machine.refused("debian:1.63")


def test_a_disk_without_room_for_it(machine: DebianMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(machine.cache.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    text = machine.refused("debian:1.63")
    assert f"{machine.home} has 1 MiB free, but 64 MiB are needed (help: make room" in text


def test_a_disk_that_is_full_in_the_middle(machine: DebianMachine, tmp_path: Path) -> None:
    broken = tmp_path / "bin/dpkg-deb"
    broken.parent.mkdir()
    broken.write_text(
        "#!/bin/sh\necho 'tar: ./usr/lib: Cannot write: No space left on device' >&2\n"
        "echo 'dpkg-deb: error: tar subprocess returned error exit status 2' >&2\nexit 2\n"
    )
    broken.chmod(0o755)
    machine.env["PATH"] = f"{broken.parent}:{machine.env['PATH']}"
    text = machine.refused("debian:1.63")
    assert "cannot be unpacked: tar: ./usr/lib: Cannot write: No space left on device" in text


def test_a_disk_that_is_full_at_once(machine: DebianMachine, tmp_path: Path) -> None:
    broken = tmp_path / "bin/apt-get"
    broken.parent.mkdir()
    broken.write_text(
        "#!/bin/sh\necho 'W: a warning' >&2; echo 'W: Failed to fetch x  Connection lost' >&2\n"
        "echo 'E: Write error - write (28: No space left on device)' >&2; exit 100\n"
    )
    broken.chmod(0o755)
    machine.env["PATH"] = f"{broken.parent}:{machine.env['PATH']}"
    assert machine.refused("debian:1.63") == (
        "toolchain debian:1.63: the suite bookworm cannot be fetched: "
        "Write error - write (28: No space left on device)"
    )


def test_sources_that_are_not_text(machine: DebianMachine) -> None:
    (machine.etc / "sources.list.d/a.list").mkdir()
    (machine.etc / "sources.list.d/b.sources").write_bytes(b"\xff\0: \n")
    (machine.etc / "sources.list.d/c.list").symlink_to("/no/such/file")
    assert machine.install("debian:1.63").exists()


def test_a_compiler_that_does_not_run_here(machine: DebianMachine) -> None:
    machine.archive.add_system("sid")
    machine.archive.add_compiler("sid", "1.97.0+dfsg1-1", body="echo 'Illegal instruction' >&2; exit 132")
    machine.archive.publish("sid", machine.signers.trusted)
    text = machine.refused("debian:sid")
    assert "rustc 1.97.0+dfsg1-1 does not run on this machine: exit status 132: 'Illegal" in text


def test_removal(machine: DebianMachine, tmp_path: Path) -> None:
    machine.install("debian:1.63")
    machine.install("debian:1.78")
    with pytest.raises(ToolchainError, match=r"debian:1\.48: not installed; found: debian:1\.78"):
        remove("debian:1.48", machine.env, machine.said.append)
    with pytest.raises(ToolchainError, match="a path is not removed"):
        remove(f"debian:{machine.home}/1.63.0", machine.env, machine.said.append)
    machine.archive.add_compiler("bookworm", "1.63.1+dfsg1-1", flavour="-web", llvm="15")
    machine.archive.publish("bookworm", machine.signers.trusted)
    machine.install("debian:1.63.1")
    with pytest.raises(ToolchainError, match=r"debian:1.63: it matches debian:1.63.1-web and debian:1.63.0"):
        remove("debian:1.63", machine.env, machine.said.append)
    remove("debian:1.63.1", machine.env, machine.said.append)
    remove("debian:bookworm", machine.env, machine.said.append)
    assert machine.left() == ["1.78.0-web"]
    assert (machine.home / "apt").exists()
    foreign = machine.home / "1.70.0/rustc"
    foreign.parent.mkdir()
    foreign.write_text("someone else's")
    with pytest.raises(ToolchainError, match=r"debian:1\.70: not installed"):
        remove("debian:1.70", machine.env, machine.said.append)
    remove("debian:1.78", machine.env, machine.said.append)
    assert machine.left() == ["1.70.0"]
    assert foreign.exists()
    assert not (machine.home / "apt").exists()
    assert (tmp_path / "www").exists()


def test_a_damaged_one_is_replaced(machine: DebianMachine) -> None:
    folder = machine.install("debian:1.63")
    (folder / "debian.json").write_text("{")
    assert discover(machine.env) == []
    machine.install("debian:1.63")
    assert machine.left() == ["1.63.0"]
    assert discover(machine.env) == ["debian:1.63.0"]
