"""Restores a cached state of a working folder."""

import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from linkage.host.system import make_fifo
from linkage.plan.state import FIFO, Node, State
from linkage.run.workspace import Workspace
from linkage.store.store import Store, remove_tree


def restore(workspace: Workspace, state: State, store: Store) -> bool:
    """Bring the folder to a cached state; False, with nothing changed, if a content is not cached.

    Raises OSError.
    """
    now = workspace.state
    missing = {name: node for name, node in state.items() if now.get(name) != node}
    if any(node.kind == "special" and node.content != FIFO for node in missing.values()):
        return False
    stored = {node.stored for node in missing.values() if node.kind == "file"}
    if not all(digest is not None and store.has_blob(digest) for digest in stored):
        return False
    with tempfile.TemporaryDirectory(dir=workspace.temporary) as folder:
        fetched = {digest: Path(folder) / str(number) for number, digest in enumerate(filter(None, stored))}
        if not all(store.take_blob(digest, place) for digest, place in fetched.items()):
            return False
        workspace.forget()
        _clear(workspace.root, now, state)
        _make(workspace.root, missing, fetched)
    return True


def _clear(root: Path, now: State, state: State) -> None:
    """Remove what is not in the state, or is of another kind there."""
    for name, node in now.items():
        other = state.get(name)
        if other is not None and other.kind == node.kind:
            continue
        path = root / name
        if node.kind == "dir":
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)  # it may have been removed with its folder


def _make(root: Path, missing: Mapping[str, Node], fetched: Mapping[str, Path]) -> None:
    folders = {name: node for name, node in missing.items() if node.kind == "dir"}
    for name in sorted(folders):
        (root / name).mkdir(exist_ok=True)
        (root / name).chmod(0o700)
    uses = Counter(node.stored for node in missing.values())
    for name, node in missing.items():
        path = root / name
        if node.kind == "link":
            path.unlink(missing_ok=True)
            path.symlink_to(node.content)
        elif node.kind == "special":
            path.unlink(missing_ok=True)
            make_fifo(path)
            path.chmod(node.mode)
        elif node.stored is not None:
            _place(fetched[node.stored], path, node.mode, again=uses[node.stored] > 1)
    for name in sorted(folders, reverse=True):  # a folder without write permission is filled first
        (root / name).chmod(folders[name].mode)


def _place(source: Path, path: Path, mode: int, *, again: bool) -> None:
    path.unlink(missing_ok=True)
    if again:
        path.write_bytes(source.read_bytes())
    else:
        source.replace(path)
    path.chmod(mode)
