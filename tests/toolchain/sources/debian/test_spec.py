"""What a `debian:` spec means, and in which suites it is searched."""

import pytest

from linkage.errors import ToolchainError
from linkage.toolchain.sources.debian.archive import SUITES, best, in_order, own
from linkage.toolchain.sources.debian.packages import Offer
from linkage.toolchain.sources.debian.spec import FolderSpec, ReleaseSpec, SuiteSpec, parse


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("debian:1.63", ReleaseSpec("debian:1.63", "1.63", None)),
        ("debian:1.63.0", ReleaseSpec("debian:1.63.0", "1.63.0", None)),
        ("debian:1.78.0-web", ReleaseSpec("debian:1.78.0-web", "1.78.0", "rustc-web")),
        ("debian:1.85-dynamic", ReleaseSpec("debian:1.85-dynamic", "1.85", "rustc-dynamic")),
        ("debian:1.78-web", ReleaseSpec("debian:1.78-web", "1.78", "rustc-web")),
        ("debian:1.99.0-beta.3", ReleaseSpec("debian:1.99.0-beta.3", "1.99.0-beta.3", None)),
        ("debian:bookworm", SuiteSpec("debian:bookworm", "bookworm")),
        ("debian:bookworm-security", SuiteSpec("debian:bookworm-security", "bookworm-security")),
        ("debian:/a/1.63", FolderSpec("debian:/a/1.63", "/a/1.63")),
        ("debian:./a", FolderSpec("debian:./a", "./a")),
        ("debian:a/b", FolderSpec("debian:a/b", "a/b")),
        ("debian:~/a", FolderSpec("debian:~/a", "~/a")),
        ("debian:.", FolderSpec("debian:.", ".")),
    ],
)
def test_what_is_meant(text: str, meant: ReleaseSpec | SuiteSpec | FolderSpec) -> None:
    assert parse(text) == meant


@pytest.mark.parametrize(
    "what", ["", "1", "1.63.", "1.63.0-mine", "Bookworm", "book worm", "-t", "a--b", "a]", "a\nb", "²"]
)
def test_what_means_nothing(what: str) -> None:
    with pytest.raises(ToolchainError) as caught:
        parse(f"debian:{what}")
    assert "it is not a release, a suite or a folder (help: write debian:1.63, " in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "release", "package", "covered"),
    [
        ("1.63", "1.63.0", "rustc", True),
        ("1.63", "1.63.0", "rustc-web", True),
        ("1.63.0-web", "1.63.0", "rustc-web", True),
        ("1.63.0-web", "1.63.0", "rustc", False),
        ("1.85-dynamic", "1.85.1", "rustc-dynamic", True),
        ("1.85-dynamic", "1.85.1", "rustc", False),
        ("1.85", "1.85.1", "rustc-dynamic", False),
        ("1.6", "1.63.0", "rustc", False),
        ("1.63.0", "1.63.1", "rustc", False),
        ("1.63.1", "1.63.10", "rustc", False),
        ("1.99", "1.99.0-beta.3", "rustc", True),
        ("1.99.0", "1.99.0-beta.3", "rustc", True),
        ("1.99.0-beta.3", "1.99.0-beta.30", "rustc", False),
    ],
)
def test_which_compilers_a_release_covers(spec: str, release: str, package: str, *, covered: bool) -> None:
    meant = parse(f"debian:{spec}")
    assert isinstance(meant, ReleaseSpec)
    assert meant.covers(release, package) is covered


def test_the_suites_in_order() -> None:
    assert in_order("1.63")[:2] == ["bookworm", "bullseye"]
    assert in_order("1.85.1")[0] == "trixie"
    assert in_order("1.78")[:2] == ["bullseye", "bullseye-security"]
    assert in_order("1.98")[:3] == ["sid", "experimental", "testing"]
    for release in ("1.48", "1.98", "2.0"):
        assert sorted(in_order(release)) == sorted(SUITES)


def test_the_best_of_several() -> None:
    web = Offer("rustc-web", "1.96.0+dfsg1-1~deb12u1", "s")
    same = Offer("rustc-web", "1.63.0+dfsg1-9", "s")
    beta = Offer("rustc", "1.96.0~beta.2+dfsg1-1", "s")
    plain = Offer("rustc", "1.63.0+dfsg1-2", "s")
    assert best([plain, beta, same, web]) == web
    assert best([same, plain]) == plain
    assert best([beta, Offer("rustc", "1.96.0~beta.10+dfsg1-1", "s")]).release == "1.96.0-beta.10"
    assert own([web, plain]) == plain
    assert own([same, web]) == web
