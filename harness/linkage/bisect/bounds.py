"""The ends of a bisection's range that have to be looked up: in results, on servers, in the history."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from linkage.bisect.axis import is_bound, is_commit, is_date, nightly_of
from linkage.bisect.download import Downloads, FailedError, NotThereError
from linkage.bisect.history import History
from linkage.bisect.nightlies import commit_url, manifest_url
from linkage.errors import LinkageError, ToolchainError
from linkage.host.folders import store_folder
from linkage.run.selection import located, split
from linkage.run.session import session_for
from linkage.store.results import Results
from linkage.toolchain.release import Channel, RustcVersion


def failed_cases(env: Mapping[str, str]) -> tuple[tuple[str, ...], str | None]:
    """The variants that failed in the last run here, and the compiler that they failed on.

    Raises LinkageError where none did.
    """
    results = Results.open(store_folder(None, env))
    here = Path.cwd()
    for root in (here, *here.parents):
        nodes = results.last_failed(root)
        if nodes:
            break
    else:
        raise LinkageError(
            "no variant failed in the last run in this folder", where="--failed", help="run: linkage run"
        )
    found: dict[str, None] = {}
    named: dict[str, None] = {}
    for node in nodes:
        case, toolchain, cell = split(node)
        place = str(located(case, root))
        found[f"{place}[{cell}]" if cell else place] = None
        named[toolchain or ""] = None
    return tuple(found), _end_of(list(named), env)


def _end_of(names: Sequence[str], env: Mapping[str, str]) -> str | None:
    """The newest of the compilers that something failed on, as the bad end of a range."""
    session = session_for(env)
    versions = [one.version for name in names if name for one in session.toolchains([name])]
    newest = max(versions, default=None)
    return None if newest is None else bound_of(newest)


def end(text: str | None, env: Mapping[str, str]) -> str | None:
    """A bound as a range takes it: an installed compiler is its date or release, `beta` the newest beta.

    Raises LinkageError for one that is neither.
    """
    if text is None or is_bound(text):
        return text
    if text == Channel.BETA:
        return _newest_beta(env)
    try:
        session = session_for(env)
        (found,) = session.toolchains([text])
    except ToolchainError:
        raise LinkageError(
            "is not a date, a release, a commit or an installed toolchain",
            where=text,
            help="write 2026-05-19 or 1.95, or list the toolchains with --toolchains",
        ) from None
    return bound_of(found.version)


def _newest_beta(env: Mapping[str, str]) -> str:
    """The newest beta, as its release and its name with a date, under which rustup installs it again."""
    url = manifest_url("beta", env)
    try:
        manifest = tomllib.loads(Downloads().text(url))
        version = RustcVersion.parse_shown(manifest["pkg"]["rustc"]["version"])
        day = date.fromisoformat(manifest["date"])
    except (NotThereError, FailedError) as error:
        raise LinkageError(
            str(error), where="beta", help="check the network and RUSTUP_DIST_SERVER"
        ) from None
    except (tomllib.TOMLDecodeError, ValueError, LookupError, TypeError, RecursionError):
        raise LinkageError("is not the manifest of a beta", where=url, help="give a date instead") from None
    return f"{'.'.join(map(str, version.release))}=beta-{day}"


def commits(
    old: str | None, new: str | None, history: History | None, env: Mapping[str, str]
) -> tuple[str | None, str | None]:
    """Both bounds as commits if one of them is: a nightly's own, for a release where it left the main branch.

    Raises LinkageError if a bound's commit cannot be found out.
    """
    if history is None or is_commit(old) == is_commit(new):
        return old, new
    return _commit(old, history, env), _commit(new or Channel.NIGHTLY, history, env)


def _commit(bound: str | None, history: History, env: Mapping[str, str]) -> str | None:
    if bound is None or is_commit(bound):
        return bound
    if is_date(bound) or bound == Channel.NIGHTLY:
        name = bound if bound.startswith(Channel.NIGHTLY) else f"{Channel.NIGHTLY}-{bound}"
        try:
            return Downloads().text(commit_url(name, env)).strip()
        except (NotThereError, FailedError) as error:
            raise LinkageError(
                f"the commit of {name} is not known: {error}", where="bisect", help="give its commit"
            ) from None
    release = bound.partition("=")[0]
    return history.merge_base(release if release.count(".") > 1 else f"{release}.0")


def bound_of(version: RustcVersion) -> str:
    nightly = nightly_of(version)
    if nightly is not None:
        return nightly
    if version.channel is Channel.STABLE:
        return ".".join(map(str, version.release))
    raise LinkageError(
        f"{version} is not a nightly or a release",
        where="bisect",
        help="list the toolchains with --toolchains",
    )
