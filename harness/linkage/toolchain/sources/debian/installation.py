"""Unpacks a compiler from an archive into the harness's own folder, and removes it."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from linkage.errors import ToolchainError
from linkage.host.files import replace_file
from linkage.toolchain.query import ask, first_words
from linkage.toolchain.sources.debian import apt_sources, installed, tree
from linkage.toolchain.sources.debian.apt import Apt, require_programs
from linkage.toolchain.sources.debian.archive import DebianMirror
from linkage.toolchain.sources.debian.installed import CompilerRecord, UnpackedCompiler
from linkage.toolchain.sources.debian.packages import Offer, Package, folder_name, needed
from linkage.toolchain.sources.debian.spec import FolderSpec, parse
from linkage.toolchain.sources.protocol import InstallOptions
from linkage.toolchain.sources.staging import Say, staging, take_away

_MIB = 1 << 20
_SPARE = 64 * _MIB  # for the largest package's file, and what the file system adds


def install(text: str, options: InstallOptions, env: Mapping[str, str], say: Say) -> UnpackedCompiler:
    """Unpack the compiler that a `debian:` spec names; one that is there already is left as it is.

    It appears when it is complete and has printed its version. Raises ToolchainError with the reason
    in one line.
    """
    spec = parse(text)
    if isinstance(spec, FolderSpec):
        raise ToolchainError(
            "a folder is not installed",
            where=f"toolchain {text}",
            help=f"linkage run --toolchain {text}",
        )
    home = home_of(env, text)
    if found := installed.matching(spec, env):
        return _there_already(found[0], text, say)
    require_programs(text, env)
    mirrors = apt_sources.mirrors(env, who=text, mirror=options.mirror, keyrings=options.keyrings)
    with staging(home, text, say) as staged:
        if found := installed.matching(spec, env):  # by another one, while we waited
            return _there_already(found[0], text, say)
        if options.unsigned:
            say(f"{text}: signatures are NOT checked, because of --allow-unsigned")
        archive = DebianMirror(home / "apt", mirrors, env, say, unsigned=options.unsigned)
        apt, offer, own = archive.find(spec)
        target = home / folder_name(offer.package, offer.release)
        if same := installed.read(target):
            return _also_in(same, offer, text, say, own=own)
        packages = needed(apt.resolve(offer), offer.package)
        root = staged / target.name
        _unpack(apt, packages, root, staged, text, say)
        unpacked = {package.name: package.version for package in packages}
        suites = (offer.suite,) if own else ()
        record = CompilerRecord(
            offer.package, offer.version, offer.release, suites, unpacked, verified=not options.unsigned
        )
        make_usable(root, record, env, text)
        if target.exists():  # damaged, or not ours: moved away at once
            take_away(target)
        root.rename(target)
    compiler = UnpackedCompiler(target, record)
    origin = f"{offer.package} {offer.version} of {offer.suite}"
    say(f"{text}: installed {compiler.name} ({origin}): {compiler.rustc}")
    return compiler


def remove(text: str, env: Mapping[str, str], say: Say) -> None:
    """Remove the compiler that matches the spec. Raises ToolchainError if none does, or several."""
    spec = parse(text)
    if isinstance(spec, FolderSpec):
        raise ToolchainError(
            "a path is not removed",
            where=f"toolchain {text}",
            help="name the release or the suite, such as debian:1.63",
        )
    home = home_of(env, text)
    if not installed.matching(spec, env):
        have = ", ".join(one.spec for one in installed.compilers(env)) or "none"
        raise ToolchainError(f"not installed; found: {have}", where=f"toolchain {text}")
    with staging(home, text, say):
        found = installed.matching(spec, env)
        if len(found) > 1:
            raise ToolchainError(
                f"it matches {' and '.join(one.spec for one in found)}",
                where=f"toolchain {text}",
                help="name the one to remove",
            )
        for one in found:
            take_away(one.folder)
            say(f"{text}: removed {one.folder}")
        if not installed.compilers(env):
            shutil.rmtree(home / "apt", ignore_errors=True)


def _there_already(one: UnpackedCompiler, text: str, say: Say) -> UnpackedCompiler:
    say(f"{text}: already installed: {one.name} ({one.record.package} {one.record.version}): {one.rustc}")
    return one


def _also_in(one: UnpackedCompiler, offer: Offer, text: str, say: Say, *, own: bool) -> UnpackedCompiler:
    """The same release is installed from another suite: record this suite as well."""
    record = one.record
    if own and offer.suite not in record.suites:
        record = msgspec.structs.replace(record, suites=(*record.suites, offer.suite))
        installed.write(record, one.folder)
    if offer.version != record.version:
        say(f"{text}: {offer.suite} has {offer.version}; to install it, remove {one.spec} first")
    return _there_already(UnpackedCompiler(one.folder, record), text, say)


def _unpack(apt: Apt, packages: list[Package], root: Path, staged: Path, text: str, say: Say) -> None:
    needed = sum(package.unpacked for package in packages) + _SPARE
    free = shutil.disk_usage(staged).free
    if needed > free:
        raise ToolchainError(
            f"{staged.parent} has {free // _MIB} MiB free, but {needed // _MIB} MiB are needed",
            where=f"toolchain {text}",
            help="make room, or set XDG_CACHE_HOME to a folder on another disk",
        )
    for number, package in enumerate(packages, 1):
        size = f"{package.size / _MIB:.1f} MiB"
        say(f"{text}: [{number}/{len(packages)}] {package.name} {package.version}, {size}")
        deb = apt.download(package, staged)
        apt.unpack(deb, root)
        deb.unlink()


def make_usable(root: Path, record: CompilerRecord, env: Mapping[str, str], text: str) -> None:
    """Put the script and the record beside the compiler, and let it print its version.

    Raises ToolchainError if it does not.
    """
    script = root / "rustc"
    replace_file(script, tree.wrapper(root), mode=0o755)  # it may be a link to another compiler's
    answer = ask([script, "--version"], env, who=text)
    if answer.status != 0 or not answer.stdout.startswith("rustc "):
        printed = answer.summary if answer.status else first_words(answer.stdout) or "nothing"
        raise ToolchainError(
            f"{record.package} {record.version} does not run on this machine: {printed}",
            where=f"toolchain {text}",
        )
    installed.write(record, root)


def home_of(env: Mapping[str, str], text: str) -> Path:
    """The folder of unpacked compilers. Raises ToolchainError if there can be none."""
    home = installed.home(env)
    if home is None:
        raise ToolchainError(
            "no folder to unpack into: neither HOME nor XDG_CACHE_HOME is set",
            where=f"toolchain {text}",
        )
    return home
