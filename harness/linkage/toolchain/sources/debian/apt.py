"""apt with a state of its own: it fetches, verifies and resolves packages, and installs nothing.

Its lists, cache and status are in a folder of the harness. Of the machine's configuration it keeps how
to reach the network (proxies, certificates, passwords); settings that weaken the check of signatures
are ignored, and none of its hooks run.
"""

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from linkage.errors import AbsentSuiteError, ToolchainError, UnverifiedError
from linkage.toolchain.query import Reply, ask
from linkage.toolchain.sources.debian.apt_sources import Mirrors
from linkage.toolchain.sources.debian.packages import COMPILERS, Offer, Package, offers, parse

PROGRAMS = ("apt-get", "apt-cache", "apt-config", "dpkg-deb")
TIME_LIMIT = 3600.0
_HOOKS = (
    "APT::Update::Pre-Invoke",
    "APT::Update::Post-Invoke",
    "APT::Update::Post-Invoke-Success",
    "DPkg::Pre-Invoke",
    "DPkg::Post-Invoke",
    "DPkg::Pre-Install-Pkgs",
)
_MISSING_KEY = re.compile(r"(?:NO_PUBKEY|Missing key) ([0-9A-F]{8,40})")
_UNVERIFIED = re.compile(r"GPG error|OpenPGP signature verification failed|is not signed|no longer signed")
_ABSENT = re.compile(r"does not have a Release file|404 +Not Found|File not found")
_WRONG = re.compile(r"^(?:E: |W: (?:Failed to fetch|GPG error|OpenPGP))")
_UNMET = re.compile(r"unmet dependencies:\s+(\S.*)")
_INSTALLS = re.compile(r"^Inst (\S+) \((\S+) ", re.MULTILINE)


def require_programs(who: str, env: Mapping[str, str]) -> None:
    """Raise ToolchainError with the programs of apt and dpkg that the machine lacks."""
    missing = [name for name in PROGRAMS if not shutil.which(name, path=env.get("PATH"))]
    if missing:
        raise ToolchainError(
            f"Debian packages cannot be unpacked here: {', '.join(missing)} not found",
            where=f"toolchain {who}",
            help="install apt and dpkg, or name packages that are unpacked already: debian:/path",
        )


class Apt:
    """The apt of one suite."""

    def __init__(
        self,
        folder: Path,
        suite: str,
        mirrors: Mirrors,
        env: Mapping[str, str],
        *,
        who: str,
        unsigned: bool = False,
        foreign: str = "",
    ) -> None:
        """`foreign` is an architecture whose packages it knows beside the machine's."""
        # Lists that were fetched without a check are never used with one.
        parts = (suite, "unsigned" if unsigned else "", foreign)
        self._folder = folder / "-".join(filter(None, parts))
        self._architectures = [mirrors.architecture, *([foreign] if foreign else [])]
        self._suite = suite
        self._sources = mirrors.sources(suite)
        self._unsigned = unsigned
        self._env = env
        self._who = who
        self._write_configuration(mirrors, unsigned=unsigned)

    @property
    def suite(self) -> str:
        """The suite that it knows."""
        return self._suite

    def update(self) -> None:
        """Fetch the suite's lists. Raises ToolchainError with the reason that apt prints."""
        answer = self._apt("apt-get", "-q", "update")
        wrong = [line for line in answer.stderr.splitlines() if _WRONG.match(line)]
        if self._unsigned:
            wrong = [line for line in wrong if line.startswith("E: ") or not _UNVERIFIED.search(line)]
        if answer.status == 0 and not wrong:
            return
        text = "\n".join(wrong)
        if _UNVERIFIED.search(text):
            raise self._unverified(text)
        reason = _first(wrong) or answer.summary
        if _ABSENT.search(text):
            raise AbsentSuiteError(
                f"the mirror has no suite {self._suite}: {reason}",
                where=f"toolchain {self._who}",
                help="name a suite that it has, or another mirror with --mirror URL",
            )
        full = "No space left on device" in reason
        raise self._error(
            f"the suite {self._suite} cannot be fetched: {reason}",
            None if full else "name another mirror with --mirror URL",
        )

    def offers(self) -> list[Offer]:
        """The compilers of the suite."""
        answer = self._apt("apt-cache", "madison", *COMPILERS)
        return offers(answer.stdout, self._suite)

    def resolve(self, offer: Offer) -> list[Package]:
        """Everything that apt would install for the compiler on a machine without any package."""
        # All its packages are of one version; apt would prefer newer ones that the index also has.
        (self._folder / "preferences").write_text(
            f"Package: rustc* libstd-rust*\nPin: version {offer.version}\nPin-Priority: 1001\n"
        )
        target = ["-t", self._suite] if len(self._sources) > 1 else []
        answer = self._apt("apt-get", "-q", "-s", *target, "install", f"{offer.package}={offer.version}")
        chosen = _INSTALLS.findall(answer.stdout)
        if answer.status != 0 or offer.package not in dict(chosen):
            unmet = _UNMET.search(answer.stdout)
            why = unmet[1] if unmet else _complaint(answer)
            raise self._error(f"apt cannot resolve {offer.package} {offer.version}: {why}")
        shown = self._apt("apt-cache", "show", *(f"{name}={version}" for name, version in chosen))
        return parse(shown.stdout)

    def exact(self, name: str, version: str) -> Package | None:
        """One version of a package, `name` or `name:architecture`; None if the suite does not have it."""
        answer = self._apt("apt-cache", "show", f"{name}={version}")
        found = parse(answer.stdout) if answer.status == 0 else []
        return replace(found[0], name=name) if found else None

    def download(self, package: Package, into: Path) -> Path:
        """Fetch one package's file; apt checks it against the index that the signature covers."""
        before = set(into.iterdir())
        answer = self._apt("apt-get", "-q", "download", f"{package.name}={package.version}", cwd=into)
        new = sorted(path for path in set(into.iterdir()) - before if path.suffix == ".deb")
        if answer.status != 0 or len(new) != 1:
            raise self._error(
                f"{package.name} {package.version} cannot be downloaded: {_complaint(answer)}",
                "try again later: the mirror may be in the middle of an update",
            )
        return new[0]

    def unpack(self, deb: Path, root: Path) -> None:
        """Unpack a package's files; none of its scripts is run."""
        answer = ask(["dpkg-deb", "-x", deb, root], self._env, who=self._who, time_limit=TIME_LIMIT)
        if answer.status != 0:
            raise self._error(f"{deb.name} cannot be unpacked: {_complaint(answer)}")

    def _write_configuration(self, mirrors: Mirrors, *, unsigned: bool) -> None:
        trusted = self._folder / "trusted"
        shutil.rmtree(trusted, ignore_errors=True)
        for folder in (self._folder / "lists/partial", self._folder / "cache/archives/partial", trusted):
            folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "status").touch()
        # Links in a folder of trusted keys, because `signed-by` takes no path with a blank or a comma.
        for number, keyring in enumerate(mirrors.keyrings):
            suffix = ".asc" if keyring.suffix == ".asc" else ".gpg"
            (trusted / f"{number:03}{suffix}").symlink_to(keyring)
        for number, key in enumerate(mirrors.keys):
            (trusted / f"inline-{number:03}.asc").write_text(key)
        options = f"arch={','.join(self._architectures)}" + (" trusted=yes" if unsigned else "")
        lines = (f"deb [{options}] {uri} {suite} main\n" for uri, suite in self._sources)
        (self._folder / "sources.list").write_text("".join(lines))
        (self._folder / "apt.conf").write_text("".join(f"#clear {hook};\n" for hook in _HOOKS))

    def _apt(self, program: str, *words: str, cwd: Path | None = None) -> Reply:
        folder = self._folder
        options = {
            "Dir::State": folder,
            "Dir::State::lists": folder / "lists",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder / "cache",
            "Dir::Cache::archives": folder / "cache/archives",
            "Dir::Cache::pkgcache": "pkgcache.bin",  # images for containers turn it off, which costs seconds
            "Dir::Cache::srcpkgcache": "srcpkgcache.bin",
            "Dir::Etc::sourcelist": folder / "sources.list",
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::trusted": "/dev/null",
            "Dir::Etc::trustedparts": folder / "trusted",
            "Dir::Etc::preferences": folder / "preferences",
            "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Architectures": ",".join(self._architectures),
            "APT::Default-Release": "",
            "APT::Get::AllowUnauthenticated": "false",
            "APT::Install-Recommends": "false",
            "APT::Install-Suggests": "false",
            "APT::Sandbox::User": "",  # that user could not read our folder
            "Acquire::AllowInsecureRepositories": "false",
            "Acquire::AllowWeakRepositories": "false",
            "Acquire::AllowDowngradeToInsecureRepositories": "false",
            "Acquire::GzipIndexes": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
        }
        command: list[str | Path] = [program, "-c", folder / "apt.conf"]
        for name, value in options.items():
            command += ["-o", f"{name}={value}"]
        return ask(
            [*command, *words],
            self._env,
            who=self._who,
            time_limit=TIME_LIMIT,
            output_limit=64 << 20,
            cwd=cwd,
        )

    def _unverified(self, text: str) -> UnverifiedError:
        keys = ", ".join(dict.fromkeys(_MISSING_KEY.findall(text)))
        why = (
            f"is signed with a key that this machine does not have: {keys}"
            if keys
            else f"has no valid signature: {_first(text.splitlines())}"
        )
        return UnverifiedError(
            f"the suite {self._suite} {why}",
            where=f"toolchain {self._who}",
            help="install the newest keyring package of the distribution, name one with --keyring FILE, "
            "or skip the check with --allow-unsigned",
        )

    def _error(self, what: str, help: str | None = None) -> ToolchainError:
        return ToolchainError(what, where=f"toolchain {self._who}", help=help)


def _first(lines: Sequence[str]) -> str:
    """The first line with a reason, without apt's `E:` or `W:`; errors come before warnings."""
    ordered = sorted(lines, key=lambda line: not line.startswith("E: "))
    return " ".join(ordered[0].removeprefix("E: ").removeprefix("W: ").split()) if ordered else ""


def _complaint(answer: Reply) -> str:
    return _first([line.strip() for line in answer.stderr.splitlines() if line.strip()]) or answer.summary
