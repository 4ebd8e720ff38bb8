"""One toolchain is installed, as a bisection does it, and nothing else."""

from collections.abc import Callable, Mapping
from pathlib import Path

from linkage.bisect.axis import FULL_COMMIT, is_commit, is_date, is_full_commit
from linkage.bisect.contents import ToolchainContents
from linkage.bisect.progress import BisectProgress
from linkage.bisect.provisioning import ToolchainProber
from linkage.bisect.session import SessionOptions, provisioned
from linkage.bisect.subject import MissingError
from linkage.errors import LinkageError
from linkage.run.session import session_for
from linkage.toolchain.sources.rustup.folders import channel_name


def install(
    text: str,
    contents: ToolchainContents,
    options: SessionOptions,
    env: Mapping[str, str],
    say: Callable[[str], None],
) -> Path:
    """Install the toolchain of a date, a release or a commit; its folder. Raises LinkageError."""
    session = session_for(env)
    progress = BisectProgress(lambda *_: None)
    prober = ToolchainProber(session, {}, provisioned(session, contents, options, progress), say, progress)
    try:
        return prober.toolchain(_name(text, contents)).rustc.parent.parent
    except MissingError as error:
        raise LinkageError(str(error), where=f"--install {text}") from None


def _name(text: str, contents: ToolchainContents) -> str:
    where = f"--install {text}"
    if is_commit(text):
        if not is_full_commit(text):
            raise LinkageError("is not a whole commit", where=where, help=f"write all {FULL_COMMIT} digits")
        return text
    if contents.alt:
        raise LinkageError("only commits have alt builds", where=where, help="name a commit")
    name = text if channel_name(text) else f"nightly-{text}"
    if channel_name(name) is None or (name != text and not is_date(text)):
        raise LinkageError("is not a date, a release or a commit", where=where, help="write 2026-05-19")
    return name
