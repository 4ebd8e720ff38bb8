"""The mirror and the keys in the machine's own apt configuration.

The formats are those of sources.list(5), one line each and paragraphs:
https://manpages.debian.org/stable/apt/sources.list.5.en.html
"""

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from linkage.errors import ToolchainError
from linkage.toolchain.query import ask
from linkage.toolchain.sources.debian.packages import paragraphs

# Repositories of third parties use these names only for the Debian release that they are made for.
DISTRIBUTION_SUITES = (
    *("buster", "bullseye", "bookworm", "trixie", "forky", "duke", "sid", "experimental"),
    *("oldoldstable", "oldstable", "stable", "testing", "unstable", "rc-buggy"),
)
_KEYRINGS = "/usr/share/keyrings"
_ADDRESS = re.compile(r"[a-z][a-z0-9+]*:[^\s\[\]\"']+", re.ASCII)
_LINE = re.compile(r"deb\s+(?:\[(?P<options>[^\]]*)\]\s*)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<components>[^#]*)")
_ARMOUR = "-----BEGIN PGP"
_SECURITY = re.compile(r"(?:-security|/updates)/?$")


@dataclass(frozen=True, slots=True)
class AptSource:
    """One suite of one repository in apt's configuration."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: tuple[str, ...] = ()
    """Paths of keyrings, or the text of a key."""


@dataclass(frozen=True, slots=True)
class Mirrors:
    """The addresses to fetch from, and the keys that are trusted: files, and keys as text."""

    main: str
    security: str
    architecture: str
    keyrings: tuple[Path, ...]
    keys: tuple[str, ...] = ()

    def sources(self, suite: str) -> list[tuple[str, str]]:
        """The addresses and suites from which the suite's packages can be resolved.

        A suite with few packages is based on another.
        """
        base, dash, kind = suite.partition("-")
        if suite in ("experimental", "rc-buggy"):
            return [(self.main, "sid"), (self.main, suite)]
        if not dash:
            return [(self.main, suite)]
        return [(self.main, base), (self.security if kind == "security" else self.main, suite)]


def parse_list(text: str) -> list[AptSource]:
    """Read the one-line format, without comments and source packages."""
    found = []
    for line in text.splitlines():
        if entry := _LINE.match(line.strip()):
            options = dict(word.lower().partition("=")[::2] for word in (entry["options"] or "").split())
            spelled = re.search(r"signed-by=(\S+)", entry["options"] or "", re.IGNORECASE)
            if options.get("enabled") != "no":
                signed_by = tuple(spelled[1].split(",")) if spelled else ()
                found.append(
                    AptSource(entry["uri"], entry["suite"], tuple(entry["components"].split()), signed_by)
                )
    return found


def parse_paragraphs(text: str) -> list[AptSource]:
    """Read the format of `.sources` files; each address is combined with each suite."""
    found = []
    for fields in paragraphs(text):
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        signed = fields.get("signed-by", "")
        if _ARMOUR in signed:
            # A dot means an empty line.
            lines = (("" if line == "." else line) for line in signed.strip().splitlines())
            signed_by: tuple[str, ...] = ("\n".join(lines) + "\n",)
        else:
            signed_by = tuple(signed.replace(",", " ").split())
        found += [
            AptSource(uri, suite, tuple(fields.get("components", "").split()), signed_by)
            for uri in fields.get("uris", "").split()
            for suite in fields.get("suites", "").split()
        ]
    return found


def choose(sources: Iterable[AptSource]) -> tuple[AptSource, AptSource] | None:
    """The sources that are the distribution's archive and its security archive.

    Suites of other repositories have the names of Debian's, too; the archive is usually in a folder
    `debian`.
    """
    ours = [
        source
        for source in sources
        if "main" in source.components
        and not source.uri.startswith("cdrom:")
        and re.split(r"[-/]", source.suite)[0] in DISTRIBUTION_SUITES
    ]
    ours.sort(key=lambda source: not re.search(r"/debian(-security)?/?$", source.uri))
    main = next((source for source in ours if not _SECURITY.search(source.suite)), None)
    if main is None:
        return None
    security = next((source for source in ours if _SECURITY.search(source.suite)), None)
    return main, security or replace(main, uri=security_of(main.uri))


def security_of(mirror: str) -> str:
    """The usual place of a mirror's security archive: beside the archive."""
    return mirror.rstrip("/") + "-security"


def mirrors(
    env: Mapping[str, str], *, who: str, mirror: str | None = None, keyrings: Sequence[Path] = ()
) -> Mirrors:
    """The machine's mirror, or the one that was asked for, and every key that the machine trusts.

    apt itself tells where its configuration is. Raises ToolchainError if that names no mirror of
    Debian, or `mirror` is not the address of one.
    """
    settings = _configuration(env, who)
    found = _read(settings)
    chosen = choose(found)
    signed_by = [key for source in chosen or () for key in source.signed_by]
    trusted = [*_trusted(settings, signed_by), *_existing(keyrings, who)]
    keys = tuple(dict.fromkeys(key for key in signed_by if _ARMOUR in key))
    together = Mirrors("", "", settings["architecture"], tuple(dict.fromkeys(trusted)), keys)
    if mirror is not None:
        if not _ADDRESS.fullmatch(mirror):
            raise ToolchainError(
                f"--mirror {mirror} is not an address",
                where=f"toolchain {who}",
                help="write it as in sources.list(5): https://HOST/debian, file:/path",
            )
        return replace(together, main=mirror.rstrip("/"), security=security_of(mirror))
    if chosen is None:
        raise ToolchainError(
            f"no Debian mirror in apt's configuration ({settings['list']}, {settings['parts']})",
            where=f"toolchain {who}",
            help="name one with --mirror URL",
        )
    return replace(together, main=chosen[0].uri.rstrip("/"), security=chosen[1].uri.rstrip("/"))


def _configuration(env: Mapping[str, str], who: str) -> dict[str, str]:
    names = {
        "list": "Dir::Etc::sourcelist/f",
        "parts": "Dir::Etc::sourceparts/d",
        "trusted": "Dir::Etc::trusted/f",
        "trustedparts": "Dir::Etc::trustedparts/d",
        "architecture": "APT::Architecture",
    }
    words = (word for variable, option in names.items() for word in (variable, option))
    answer = ask(["apt-config", "shell", *words], env, who=who)
    settings = dict(re.findall(r"^(\w+)='(.*)'$", answer.stdout, re.MULTILINE))
    if answer.status != 0 or not settings.keys() >= names.keys() - {"trusted"}:  # apt 3.3 has no such file
        raise ToolchainError(
            f"apt-config does not print apt's configuration: {answer.summary}", where=f"toolchain {who}"
        )
    return settings


def _read(settings: Mapping[str, str]) -> list[AptSource]:
    parts = Path(settings["parts"])
    files = [Path(settings["list"]), *sorted(parts.glob("*.list")), *sorted(parts.glob("*.sources"))]
    found: list[AptSource] = []
    for file in files:
        # A file that this user may not read usually has passwords: its mirror is not for everyone.
        with contextlib.suppress(OSError):
            text = file.read_text("utf-8", errors="replace")
            found += parse_paragraphs(text) if file.suffix == ".sources" else parse_list(text)
    return found


def _trusted(settings: Mapping[str, str], signed_by: Iterable[str]) -> list[Path]:
    """The keyrings that apt trusts for any repository or for these, and those of the distribution's package.

    Neither keys that the distribution has retired are trusted, nor keys that another repository put
    into the same folder.
    """
    parts = Path(settings["trustedparts"])
    files = [Path(settings["trusted"])] if "trusted" in settings else []
    found = [*files, *sorted([*parts.glob("*.gpg"), *parts.glob("*.asc")])]
    found += [Path(path) for path in signed_by if path.startswith("/")]
    found += sorted(
        path for path in Path(_KEYRINGS).glob("debian-archive-*.[gp][gp][gp]") if "removed" not in path.name
    )
    return [path for path in found if path.is_file()]


def _existing(keyrings: Iterable[Path], who: str) -> tuple[Path, ...]:
    for path in keyrings:
        if not path.is_file():
            raise ToolchainError(f"no such keyring: {path}", where=f"toolchain {who}")
    return tuple(path.absolute() for path in keyrings)
