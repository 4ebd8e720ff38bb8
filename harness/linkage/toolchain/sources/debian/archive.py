"""Finds the suite of an archive that has a compiler."""

from collections.abc import Mapping
from pathlib import Path

from linkage.errors import AbsentSuiteError, ToolchainError, UnverifiedError
from linkage.toolchain.sources.debian.apt import Apt
from linkage.toolchain.sources.debian.apt_sources import Mirrors
from linkage.toolchain.sources.debian.packages import Offer, newest_first
from linkage.toolchain.sources.debian.spec import ReleaseSpec, SuiteSpec
from linkage.toolchain.sources.staging import Say

# The suites in which a release is searched, with the rustc of the frozen ones, which saves fetching the
# lists of others. The rustc-web of a suite is newer than its rustc and changes with point releases.
SUITES = {
    "bullseye": "1.48",
    "bullseye-security": None,
    "bookworm": "1.63",
    "bookworm-security": None,
    "trixie": "1.85",
    "trixie-security": None,
    "testing": None,
    "experimental": None,
    "sid": None,
}


class DebianMirror:
    """A mirror, asked suite by suite."""

    def __init__(
        self, folder: Path, mirrors: Mirrors, env: Mapping[str, str], say: Say, *, unsigned: bool = False
    ) -> None:
        self._folder = folder
        self._mirrors = mirrors
        self._env = env
        self._say = say
        self._unsigned = unsigned

    def find(self, spec: ReleaseSpec | SuiteSpec) -> tuple[Apt, Offer, bool]:
        """The compiler that the spec names, the apt of its suite, and whether it is the suite's own.

        Raises ToolchainError if the archive cannot be read, or does not have it: then with what it has.
        """
        if isinstance(spec, SuiteSpec):
            return self._in_suite(spec)
        offered: list[Offer] = []
        unverified: UnverifiedError | None = None
        for suite in in_order(spec.release):
            try:
                apt, offers = self._ask(suite, spec.text)
            except AbsentSuiteError:
                self._say(f"{spec.text}: the mirror has no suite {suite}")
                continue
            except UnverifiedError as error:
                self._say(f"{spec.text}: skipped: {error.what}")
                unverified = unverified or error
                continue
            meant = [offer for offer in offers if spec.covers(offer.release, offer.package)]
            if meant:
                offer = best(meant)
                return apt, offer, offer == own(offers)
            offered += offers
        if unverified:
            raise unverified
        has = ", ".join(
            f"{offer.release} ({offer.package} of {offer.suite})" for offer in dict.fromkeys(offered)
        )
        raise ToolchainError(
            f"no suite of {self._mirrors.main} has rustc {spec.release}; it has {has or 'none'}",
            where=f"toolchain {spec.text}",
            help="name one of these, a suite, or another mirror with --mirror URL",
        )

    def _in_suite(self, spec: SuiteSpec) -> tuple[Apt, Offer, bool]:
        apt, offers = self._ask(spec.name, spec.text)
        if not offers:
            raise ToolchainError(
                f"the suite {spec.name} of {self._mirrors.main} has no rustc", where=f"toolchain {spec.text}"
            )
        return apt, own(offers), True

    def _ask(self, suite: str, who: str) -> tuple[Apt, list[Offer]]:
        self._say(f"{who}: searching {suite}")
        apt = Apt(self._folder, suite, self._mirrors, self._env, who=who, unsigned=self._unsigned)
        apt.update()
        return apt, apt.offers()


def in_order(release: str) -> list[str]:
    """The suites in the order in which a release is searched."""
    minor = ".".join(release.split(".")[:2])
    newest = max((old for old in SUITES.values() if old), key=_number)
    names = list(SUITES) if _number(minor) <= _number(newest) else list(reversed(SUITES))
    return sorted(names, key=lambda suite: SUITES[suite] != minor)


def own(offers: list[Offer]) -> Offer:
    """The compiler that a suite's name means: its `rustc`, or a flavour of it if it has no plain one."""
    return best([offer for offer in offers if offer.package == "rustc"] or offers)


def best(offers: list[Offer]) -> Offer:
    """The newest, and a plain rustc before its flavours of the same release."""
    return min(offers, key=lambda offer: newest_first(offer.release, offer.package))


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))
