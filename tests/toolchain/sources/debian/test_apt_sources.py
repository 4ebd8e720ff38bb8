"""The mirror in the machine's apt configuration, in either format."""

import pytest

from linkage.toolchain.sources.debian.apt_sources import (
    AptSource,
    Mirrors,
    choose,
    parse_list,
    parse_paragraphs,
)

HERE = "http://localhost/debian"
LIST = f"""\
# deb {HERE} buster main
deb {HERE} bookworm main contrib # the archive
deb-src {HERE} bookworm main
  deb [ arch=amd64,arm64 signed-by=/k/A.gpg,/k/b.gpg ] {HERE}/ bookworm-updates main
deb [Signed-By=/k/c.gpg trusted=yes] http://localhost/other stable test
deb [enabled=no] http://localhost/off bookworm main
deb cdrom:[Debian]/ bookworm main
deb {HERE}
debian is not a word of this format
"""
PARAGRAPHS = f"""\
# one address after another
Types: deb deb-src
URIs: {HERE} http://localhost/second
Suites: trixie
 trixie-updates
Components: main
signed-by: /k/a.gpg, /k/b.gpg

Types: deb-src
URIs: http://localhost/source
Suites: trixie
Components: main

Enabled: no
Types: deb
URIs: http://localhost/off
Suites: trixie
Components: main

Types: deb
URIs: {HERE}-security
Suites: trixie-security
# between its fields
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEZ
 -----END PGP PUBLIC KEY BLOCK-----
"""
KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"


def test_the_one_line_format() -> None:
    assert parse_list(LIST)[:3] == [
        AptSource(HERE, "bookworm", ("main", "contrib")),
        AptSource(f"{HERE}/", "bookworm-updates", ("main",), ("/k/A.gpg", "/k/b.gpg")),
        AptSource("http://localhost/other", "stable", ("test",), ("/k/c.gpg",)),
    ]
    assert {source.uri for source in parse_list(LIST)[3:]} <= {"cdrom:[Debian]/"}


def test_paragraphs() -> None:
    both = ("/k/a.gpg", "/k/b.gpg")
    assert parse_paragraphs(PARAGRAPHS) == [
        AptSource(HERE, "trixie", ("main",), both),
        AptSource(HERE, "trixie-updates", ("main",), both),
        AptSource("http://localhost/second", "trixie", ("main",), both),
        AptSource("http://localhost/second", "trixie-updates", ("main",), both),
        AptSource(f"{HERE}-security", "trixie-security", ("main",), (KEY,)),
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "Types deb", ":\n:", " Types: deb\n", "Types: deb\nURIs: x\n"])
def test_paragraphs_that_say_nothing(text: str) -> None:
    assert parse_paragraphs(text) == []


def test_the_archive_among_other_repositories() -> None:
    others = [
        AptSource("http://localhost/browser", "stable", ("main",)),
        AptSource("http://localhost/vendor", "bookworm", ("main",)),
        AptSource("http://localhost/linux/debian", "bookworm", ("stable",)),
        AptSource("http://localhost/tool", "bookworm-tool", ("main",)),
        AptSource("cdrom:[Debian]/debian", "bookworm", ("main",)),
    ]
    main = AptSource(HERE, "bookworm", ("main",), ("/k/a.gpg",))
    security = AptSource("http://elsewhere.localhost/updates", "bookworm-security", ("main",))
    assert choose([*others, security, main]) == (main, security)
    beside = AptSource(f"{HERE}-security", "bookworm", ("main",), ("/k/a.gpg",))
    assert choose([*others, main]) == (main, beside)
    old = AptSource("http://localhost/debian-security", "buster/updates", ("main",))
    assert choose([old, main]) == (main, old)
    # One of any name will do where none has the usual one.
    named = AptSource("http://localhost/pub/mirror/", "bookworm", ("main",))
    chosen = choose([named])
    assert chosen is not None
    assert chosen[1].uri == "http://localhost/pub/mirror-security"
    assert choose([security]) is None
    assert choose([AptSource("http://localhost/ubuntu", "noble", ("main",))]) is None


@pytest.mark.parametrize(
    ("suite", "sources"),
    [
        ("bookworm", ["m bookworm"]),
        ("sid", ["m sid"]),
        ("experimental", ["m sid", "m experimental"]),
        ("bookworm-security", ["m bookworm", "s bookworm-security"]),
        ("trixie-backports", ["m trixie", "m trixie-backports"]),
    ],
)
def test_base_of_a_suite(suite: str, sources: list[str]) -> None:
    mirrors = Mirrors("m", "s", "amd64", ())
    assert [" ".join(source) for source in mirrors.sources(suite)] == sources
