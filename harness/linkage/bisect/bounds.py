"""The ends of a bisection's range, where a user leaves them to be found out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from linkage.bisect.axis import is_bound, nightly_of
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
    """A bound as a range takes it: what names an installed compiler stands for its date or release.

    Raises LinkageError for one that is neither.
    """
    if text is None or is_bound(text):
        return text
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
