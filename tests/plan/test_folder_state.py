"""States of a folder that share what they have in common: as dictionaries, but cheap to derive."""

from hypothesis import given
from hypothesis import strategies as st

from linkage.plan.folder_state import FolderState
from linkage.plan.state import Node

NAMES = st.sampled_from([*"abcdef", "a/b", "a\0b", "\udcff"])
NODES = st.builds(
    Node, st.sampled_from(["file", "dir"]), st.sampled_from(["", "aa", "bb"]), st.sampled_from([0o644, 0o755])
)
CHANGES = st.lists(st.dictionaries(NAMES, st.none() | NODES, max_size=3), max_size=80)


@given(st.dictionaries(NAMES, NODES), CHANGES)
def test_a_chain_of_changes_is_that_of_dictionaries(first: dict[str, Node], changes: object) -> None:
    assert isinstance(changes, list)
    plain, states = dict(first), [(dict(first), FolderState.of(first))]
    for change in changes:
        now = {name: node for name, node in change.items() if node is not None}
        gone = [name for name, node in change.items() if node is None]
        plain = {name: node for name, node in (plain | now).items() if name not in gone}
        states.append((plain, states[-1][1].changed(now, gone)))
    for expected, state in states:  # none has changed with those that were made from it
        assert dict(state.items()) == expected
        assert len(state) == len(expected)
        assert state == FolderState.of(expected)
        assert state.digest == FolderState.of(expected).digest
        assert state == expected
        assert states[0][1].changed(*states[0][1].until(state)) == state


def test_many_states_hold_little_more_than_one() -> None:
    """Whole copies would hold half a million nodes of a thousand states."""
    state, held = FolderState.of({}), {}
    for number in range(1000):
        state = state.changed({f"d{number}": Node("dir", "", 0o755)})
        for part in (state._shared, state._differences):
            held[id(part)] = part
    assert sum(map(len, held.values())) < 60_000


def test_different_nodes_have_different_digests() -> None:
    nodes = [
        Node(kind, content, mode, size)
        for kind in ("file", "dir")
        for content in ("", "aa")
        for mode in (0o644, 0o755)
        for size in (0, 1)
    ]
    digests = {FolderState.of({name: node}).digest for node in nodes for name in ("a", "b")}
    assert len(digests) == 2 * len(nodes)
    assert FolderState.of({}).digest not in digests
