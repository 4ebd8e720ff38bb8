"""Installs a bisection's toolchains and tries variants on them."""

import contextlib
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import IO

from filelock import FileLock, Timeout

from linkage.bisect import ci_artifacts as artifacts
from linkage.bisect import nightlies as nightly
from linkage.bisect import toolchain_home
from linkage.bisect.axis import is_full_commit
from linkage.bisect.contents import ToolchainContents
from linkage.bisect.download import (
    DiskFullError,
    DownloadQueue,
    Downloads,
    FailedError,
    NotThereError,
)
from linkage.bisect.progress import BisectProgress
from linkage.bisect.signature import ProbeResult, lack, probe_result
from linkage.bisect.subject import NOT_ON_SERVER, MissingError
from linkage.bisect.trial import Trial
from linkage.compare.builds import in_order
from linkage.errors import LinkageError, ToolchainError
from linkage.host.locks import lock
from linkage.host.system import disk_size
from linkage.judge.verdict import Verdict, VerdictKind
from linkage.run.session import Session
from linkage.toolchain import Toolchain
from linkage.toolchain.sources.rustup import folders

_PATIENCE = 3
"""Give up after so many failed downloads in a row: the cause is not the toolchains."""
_LITTLE = 32 << 20
"""With less free disk space than this, in bytes, the disk counts as full."""
_THEN = "free disk space or lower --disk-limit, then: linkage bisect --resume"
_SIZE = "size"
_USED = "used"


@dataclass
class Provisioning:
    """How toolchains are downloaded, and how much disk space they may use."""

    folder: Path
    env: Mapping[str, str]
    downloads: Downloads
    contents: ToolchainContents = field(default_factory=ToolchainContents)
    limit: int = 20 << 30
    ci_server: str = artifacts.SERVER
    prefetch: bool = True
    no_skip: bool = False
    """Whether a missing capability is a failure, not a skip."""
    preserve: bool = False
    """Whether no toolchain is removed, whatever the limit is."""
    force: bool = False
    """Whether each toolchain is installed anew, once."""


class ToolchainProber:
    """Tries variants, by their names, on real compilers.

    Each toolchain has its own folder below `provisioning.folder`, with a lock, so that bisections that
    run at the same time share what they install.
    """

    def __init__(
        self,
        session: Session,
        trials: Mapping[str, Trial],
        provisioning: Provisioning,
        say: Callable[[str], None],
        progress: BisectProgress | None = None,
        width: int = 1,
    ) -> None:
        self.session = session
        self.trials = trials
        self.verdicts: dict[tuple[str, str], Verdict] = {}
        """The newest verdicts, by toolchain and variant."""
        self.provisioning = provisioning
        self.say = say
        self.progress = progress or BisectProgress(lambda *_: None)
        self.width = width
        """How many variants are tried at once."""
        self.installed = 0
        """How many toolchains were installed."""
        self._found: dict[str, Toolchain] = {}
        self._queue = DownloadQueue()
        self._held: frozenset[str] = frozenset()
        self._used: dict[str, IO[str]] = {}
        self._failed = 0
        self._installed_anew: set[str] = set()
        self._given = "stable"
        """A toolchain that the server has."""

    def get(self, name: str) -> None:
        """Make a toolchain available. Raises MissingError if it cannot be used."""
        if name in self._found:
            return
        self.progress.toolchain_begins()
        self.progress.begin(name, "preparing")
        try:
            spec = self._spec(name)
            (toolchain,) = self.session.toolchains([spec])
        except NotThereError as error:
            if error.forbidden:
                self._check_forbidden(name)
            raise MissingError(f"{NOT_ON_SERVER}: {error}") from None
        except FailedError as error:
            self._check_disk(error)
            self._count_failure(name, str(error))
            raise MissingError(f"cannot be downloaded: {error}", for_now=True) from None
        except ToolchainError as error:
            raise MissingError(str(error)) from None
        except OSError as error:
            raise LinkageError(
                f"cannot be written: {error.strerror}", where=str(self.provisioning.folder), help=_THEN
            ) from None
        self._failed = 0
        self._found[name] = replace(toolchain, name=name) if self._is_fetched(name) else toolchain

    def toolchain(self, name: str) -> Toolchain:
        """An available toolchain, installed again if it has been removed."""
        self.get(name)
        return self._found[name]

    def results(self, name: str, variants: Sequence[str]) -> Iterator[tuple[str, ProbeResult]]:
        """Try variants, several at once; the results in their order."""
        total = len(variants)
        for number, found in enumerate(self._each(variants, partial(self.probe, name))):
            self.progress.begin(name, f"{number + 1} of {total} variant{'' if total == 1 else 's'} tried")
            yield found
        self.progress.toolchain_ends()

    def remaining(self, count: int) -> None:
        """Show how many more toolchains are tried at most."""
        self.progress.remaining(count)

    def again(self, session: Session, name: str, variants: Sequence[str]) -> dict[str, ProbeResult]:
        """Try variants in another session. Raises MissingError."""
        self.get(name)
        return dict(self._each(variants, lambda one: self._probe(session, name, one)))

    def _each(
        self, variants: Sequence[str], work: Callable[[str], ProbeResult]
    ) -> Iterator[tuple[str, ProbeResult]]:
        """Several at once; one alone in this thread, where Ctrl-C reaches a question to the user."""
        if self.width == 1 or len(variants) == 1:
            return ((one, work(one)) for one in variants)
        return in_order(variants, work, self.width)

    def probe(self, name: str, variant: str) -> ProbeResult:
        """Try a variant."""
        return self._probe(self.session, name, variant)

    def _probe(self, session: Session, name: str, variant: str) -> ProbeResult:
        toolchain = self._found[name]
        verdict = self.trials[variant].tried(session, toolchain).verdict
        self.verdicts[name, variant] = verdict
        if self.provisioning.no_skip and verdict.outcome is VerdictKind.SKIP and not verdict.outside_range:
            return lack(toolchain.name, verdict.reason)
        return probe_result(verdict)

    def offers(self, commit: str) -> bool:
        """Whether the compiler of a merge is installed or can be downloaded, as far as its server says."""
        if self._there(commit):
            return True
        provisioning = self.provisioning
        try:
            return artifacts.are_there(
                commit, provisioning.contents, provisioning.ci_server, provisioning.downloads
            )
        except FailedError:
            return True  # the search reports it

    def prefetch(self, names: Sequence[str]) -> None:
        """Start to download these while another one is tried."""
        if not self.provisioning.prefetch:
            return
        self._queue.only(names)
        for name in names:
            if self._is_fetched(name) and name not in self._found and not self._there(name):
                self._queue.begin(name, partial(self._fetch, name))

    def retain(self, names: Collection[str]) -> None:
        """Keep these toolchains when the disk limit is reached."""
        self._held = frozenset(names)

    def available(self, names: Iterable[str]) -> set[str]:
        """Those of these toolchains that are installed."""
        return {name for name in names if name in self._found or self._there(name)}

    def _is_fetched(self, name: str) -> bool:
        """Whether a toolchain is downloaded, not found on this machine."""
        return folders.channel_name(name) is not None or is_full_commit(name)

    def _there(self, name: str) -> Path | None:
        """The folder of a toolchain that linkage or the user has installed."""
        if not self._is_fetched(name):
            return None
        if self.provisioning.force and name not in self._installed_anew:
            return None
        if not is_full_commit(name) and not self.provisioning.force:
            theirs = nightly.of_user(name, self.session.environment, self.provisioning.contents)
            if theirs is not None:
                return theirs
        return toolchain_home.sysroot(self._home(name))

    def _home(self, name: str) -> Path:
        return self.provisioning.folder / self.provisioning.contents.folder_name(name)

    def _spec(self, name: str) -> str:
        if not self._is_fetched(name):
            return name
        folder = self._there(name)
        if folder is None:
            with self._locked(name):
                folder = self._there(name) or self._install(name)
        self._use(name)
        return f"{name}={folders.rustc_of(folder)}"

    def _install(self, name: str) -> Path:
        self._make_room()
        self.say(f"{name}: installing")
        self.progress.begin(name, "installing")
        home = self._home(name)
        provisioning = self.provisioning
        downloads = provisioning.downloads.of(name)
        if is_full_commit(name):
            got = artifacts.fetch(
                name,
                home / toolchain_home.DOWNLOADS,
                downloads,
                provisioning.ci_server,
                provisioning.contents,
            )
            folder = artifacts.unpack(got, home)
        else:
            try:
                nightly.fetch(name, home, downloads, provisioning.env, provisioning.contents)
            except DiskFullError:
                raise
            except FailedError:
                pass  # rustup may know another way; if not, its own message says best what is wrong
            folder = nightly.install(name, home, downloads, provisioning.env, provisioning.contents)
            self._given = name
        self.installed += 1
        self._installed_anew.add(name)
        (home / _SIZE).write_text(str(_size(home)))
        return folder

    def _fetch(self, name: str, stop: Event) -> None:
        provisioning, home = self.provisioning, self._home(name)
        downloads = provisioning.downloads.until(stop).of(name)
        with self._locked(name):
            if self._there(name):
                return
            if is_full_commit(name):
                artifacts.fetch(
                    name,
                    home / toolchain_home.DOWNLOADS,
                    downloads,
                    provisioning.ci_server,
                    provisioning.contents,
                )
            else:
                nightly.fetch(name, home, downloads, provisioning.env, provisioning.contents)

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        home = self._home(name)
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LinkageError(
                f"cannot be written: {error.strerror}", where=str(self.provisioning.folder)
            ) from None
        with FileLock(home / "lock"):
            yield

    def _use(self, name: str) -> None:
        """Mark a toolchain as used until this process ends, so that no other bisection removes it."""
        home = self._home(name)
        with contextlib.suppress(OSError):
            os.utime(home / _SIZE)
            self._used[name] = (home / _USED).open("a")
            lock(self._used[name].fileno(), shared=True, wait=False)

    def _make_room(self) -> None:
        """Remove unused toolchains until the next one fits."""
        if self.provisioning.preserve:
            return
        sizes = {home: _taken(home) for home in self.provisioning.folder.glob("*/")}
        largest = max((size for installed, _, size in sizes.values() if installed), default=0)
        total = sum(size for _, _, size in sizes.values())
        # Incomplete installations go first, then the least recently used.
        for home in sorted(sizes, key=lambda one: sizes[one]):
            if total + largest <= self.provisioning.limit:
                return
            if self._remove(home):
                total -= sizes[home][2]

    def _remove(self, home: Path) -> bool:
        """Remove a toolchain that is not in use."""
        name = home.name.partition("+")[0]
        if name in self._held:
            return False
        if mark := self._used.pop(name, None):
            mark.close()
        self._found.pop(name, None)
        try:
            with FileLock(home / "lock", timeout=0), (home / _USED).open("a") as mark:
                lock(mark.fileno(), wait=False)
                toolchain_home.remove(home)
        except (OSError, Timeout):
            return False  # another bisection uses it, or is fetching it
        return True

    def _check_forbidden(self, name: str) -> None:
        """Raise LinkageError if the server forbids everything: then no toolchain is missing."""
        if is_full_commit(name):
            return
        if nightly.is_forbidden(self._given, self.provisioning.env, self.provisioning.downloads):
            raise LinkageError(
                "the server, or a proxy before it, forbids every download (HTTP status 403)",
                where=nightly.manifest_url(name, self.provisioning.env),
                help="check the proxy and RUSTUP_DIST_SERVER, then: linkage bisect --resume",
            )

    def _check_disk(self, error: FailedError) -> None:
        """Raise LinkageError if the disk is full, so that the server is not blamed."""
        free = shutil.disk_usage(self.provisioning.folder).free
        if isinstance(error, DiskFullError) or free < _LITTLE:
            raise LinkageError(
                "the disk is full",
                where=str(self.provisioning.folder),
                help=_THEN,
            )

    def _count_failure(self, name: str, why: str) -> None:
        self._failed += 1
        if self._failed >= _PATIENCE:
            raise LinkageError(
                f"{self._failed} toolchains in a row could not be downloaded: {why}",
                where=name,
                help="when the server is reachable again: linkage bisect --resume",
            )


def _taken(home: Path) -> tuple[bool, float, int]:
    """Whether a toolchain is installed there, when it was last used, and its size on disk."""
    try:
        return True, (home / _SIZE).stat().st_mtime, int((home / _SIZE).read_text())
    except (OSError, ValueError):
        return False, home.stat().st_mtime if home.exists() else 0.0, _size(home)


def _size(folder: Path) -> int:
    """The disk space that a folder uses, in bytes."""
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):  # it may be gone by now
            total += disk_size(file.lstat())
    return total
