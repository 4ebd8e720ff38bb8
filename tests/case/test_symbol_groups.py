"""The data of the symbol groups: every pattern and every range in it is valid."""

import re

import pytest

from linkage.case.matrix import AXIS_VALUES
from linkage.case.symbol_groups import GROUP_NAMES, SymbolGroup, groups
from linkage.case.variables import LATER
from linkage.toolchain.version import RustcVersion, VersionRange


def version(text: str) -> RustcVersion:
    return RustcVersion.parse(text)


@pytest.mark.parametrize("group", groups().values(), ids=lambda group: group.name)
def test_group_has_a_description_and_patterns(group: SymbolGroup) -> None:
    assert group.description
    assert group.spellings
    for spelling in group.spellings:
        assert spelling.patterns
        if spelling.toolchains is not None:
            VersionRange.parse(spelling.toolchains)
        for pattern in spelling.patterns:
            if pattern.startswith("/"):
                re.compile(pattern[1:-1])
                assert pattern.endswith("/")


def test_no_group_has_the_name_of_something_else() -> None:
    assert not GROUP_NAMES & (LATER | set(AXIS_VALUES))
