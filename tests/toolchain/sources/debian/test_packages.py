"""Packages of an index: how they are read, and which of them a compiler needs."""

from dataclasses import replace

import pytest

from linkage.toolchain.sources.debian.packages import (
    Offer,
    Package,
    folder_name,
    needed,
    offers,
    parse,
    release_of,
)

INDEX = """\
Package: rustc
Version: 1.63.0+dfsg1-2
Installed-Size: 7753
Depends: libc6:any (>= 2.34), libgcc-s1 | libgcc1 (>= 3.0),
 libstd-rust-dev (= 1.63.0+dfsg1-2), gcc, libc-dev
Pre-Depends: dpkg
Provides: rust-compiler (= 1.63), rustc-old
Description: Systems language
 Depends: nothing of this sort
Section: universe/rust
Size: 2612712

# a comment
Package: incomplete

Package: tiny
Version: 1
"""


def test_an_index() -> None:
    rustc, tiny = parse(INDEX)
    assert rustc == Package(
        name="rustc",
        version="1.63.0+dfsg1-2",
        section="universe/rust",
        depends=(
            ("dpkg",),
            ("libc6",),
            ("libgcc-s1", "libgcc1"),
            ("libstd-rust-dev",),
            ("gcc",),
            ("libc-dev",),
        ),
        provides=("rust-compiler", "rustc-old"),
        size=2612712,
        unpacked=7753 << 10,
    )
    assert tiny == Package("tiny", "1", "", (), (), 0, 0)
    assert parse("") == []
    assert parse(" no field\n\0: \xff\n") == []


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("1.63.0+dfsg1-2", "1.63.0"),
        ("1.85.0+dfsg3-1~deb12u3", "1.85.0"),
        ("2:1.85.1-1", "1.85.1"),
        ("1.99.0~beta.3+dfsg1-1~exp1", "1.99.0-beta.3"),
        ("1.63.0", "1.63.0"),
        ("1.75", None),
        ("1.63.0.1", None),
        ("unknown", None),
    ],
)
def test_the_release_in_a_version(version: str, release: str | None) -> None:
    assert release_of(version) == release


def test_folders() -> None:
    assert folder_name("rustc", "1.63.0") == "1.63.0"
    assert folder_name("rustc-web", "1.78.0") == "1.78.0-web"


def test_only_the_suites_own_offers_count() -> None:
    madison = (
        "     rustc | 1.63.0+dfsg1-2 | http://localhost/debian bookworm/main amd64 Packages\n"
        " rustc-web | 1.96.0+dfsg1-1~deb12u1 | "
        "http://localhost/debian-security bookworm-security/main amd64 Packages\n"
        " rustc-web | 1.85.0+dfsg3-1~deb12u3 | http://localhost/debian bookworm/main amd64 Packages\n"
        "    rustc | unheard-of | http://localhost/debian bookworm/main amd64 Packages\n"
        "     cargo | 1.63.0 | http://localhost/debian bookworm/main amd64 Packages\nnonsense\n"
    )
    assert offers(madison, "bookworm") == [
        Offer("rustc", "1.63.0+dfsg1-2", "bookworm"),
        Offer("rustc-web", "1.85.0+dfsg3-1~deb12u3", "bookworm"),
    ]
    assert [offer.release for offer in offers(madison, "bookworm-security")] == ["1.96.0"]
    assert offers(madison, "main") == []


def package(name: str, *depends: str, section: str = "libs", provides: tuple[str, ...] = ()) -> Package:
    return Package(name, "1", section, tuple(tuple(one.split("|")) for one in depends), provides, 1, 1)


def test_what_a_compiler_loads() -> None:
    rustc = package("rustc", "libc6", "libgcc1", "libstd-rust-dev", "gcc", "libc-dev", section="rust")
    resolved = [
        rustc,
        package("libstd-rust-dev", "libstd-rust-1.63", section="libdevel"),
        package("libstd-rust-1.63", "libllvm14|libllvm15", "gone|libz3-4", "gone"),
        package("libllvm14", "zlib1g", "debconf", section="universe/libs"),
        package("libllvm15"),
        package("libz3-4", "libc6"),
        package("zlib1g", "libc6"),
        package("debconf", "libperl", section="admin"),
        package("libgcc-s1", "libc6", provides=("libgcc1",)),
        package("libc6", "libgcc-s1"),  # in a circle, as the real ones are
        package("libperl"),
        package("gcc", "libmpfr6", section="devel"),
        package("libmpfr6"),
        package("libc6-dev", "libcrypt-dev", section="libdevel", provides=("libc-dev",)),
    ]
    names = [one.name for one in needed(resolved, "rustc")]
    assert names == [
        *("libc6", "libgcc-s1", "libllvm14", "libstd-rust-1.63", "libstd-rust-dev"),
        *("libz3-4", "rustc", "zlib1g"),
    ]
    # A package of the name counts before one that provides it.
    other = [*resolved, package("libgcc1")]
    assert "libgcc1" in [one.name for one in needed(other, "rustc")]


def test_a_compiler_behind_another_package() -> None:
    chain = [replace(package("rustc", "rustc-1.85"), section="devel"), package("rustc-1.85", section="devel")]
    assert [one.name for one in needed(chain, "rustc")] == ["rustc", "rustc-1.85"]
