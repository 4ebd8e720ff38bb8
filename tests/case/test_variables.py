"""The value of `${…}` in a text, in a list and in a source."""

from typing import TYPE_CHECKING, Any

import pytest

from linkage.case.variables import UnknownVariableError, references, substitute

if TYPE_CHECKING:
    from linkage.case.document import Data

ROW: dict[str, Any] = {
    "lto": "fat", "n": 1, "yes": True, "no": False, "none": None, "empty": "", "flags": ("-g", "-O"),
    "no-flags": (), "san": {"name": "address", "flags": ("-Za", "-Zb"), "level": 2},
}  # fmt: skip
GROUPS = frozenset({"allocator-shim"})


def filled(data: Any) -> Any:
    return substitute(data, ROW, GROUPS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-Clto=${lto}", "-Clto=fat"),
        ("${lto}${n}", "fat1"),
        ("${n}", 1),
        ("${yes}", True),
        ("${none}", None),
        ("a${none}b", "ab"),
        ("${yes} ${no}", "true false"),
        ("${flags}", ["-g", "-O"]),
        ("[${flags}]", "[-g,-O]"),
        ("${san}", "address"),
        ("-Zsanitizer=${san}", "-Zsanitizer=address"),
        ("${san.level}", 2),
        ("$${lto}", "$${lto}"),
        ("${work}/a", "${work}/a"),
        ("${allocator-shim}", "${allocator-shim}"),
        ("${captured.args}", "${captured.args}"),
        ("$lto {lto}", "$lto {lto}"),
    ],
)
def test_a_text(text: str, value: Any) -> None:
    found = filled(text)
    assert found == value
    assert type(found) is type(value)


def test_in_a_list_a_list_is_spliced_and_what_is_empty_dropped() -> None:
    given = ["a", "${flags}", "${no-flags}", "${none}", "${empty}", "${san.flags}", "x${none}", ""]
    assert filled(given) == ["a", "-g", "-O", "-Za", "-Zb", "x", ""]


def test_in_a_mapping_keys_too() -> None:
    assert filled({"${lto}.a": {"b": ["${n}"]}, "c": True}) == {"fat.a": {"b": [1]}, "c": True}


@pytest.mark.parametrize(
    ("data", "name", "path"),
    [
        ("${lot}", "lot", ()),
        (["a", {"b": "x${san.x}"}], "san.x", (1, "b")),
        ("${lto.x}", "lto.x", ()),
        ("${}", "", ()),
    ],
)
def test_what_nothing_defines(data: Any, name: str, path: tuple[Any, ...]) -> None:
    with pytest.raises(UnknownVariableError) as caught:
        filled(data)
    assert (caught.value.name, caught.value.path) == (name, path)


def test_every_reference_has_its_place() -> None:
    given: Data = {"a": ["${x}${y}", "$${z}"], "${k}": {"b": "${x.y}"}, "c": 1}
    assert list(references(given)) == [("x", ("a", 0)), ("y", ("a", 0)), ("k", ()), ("x.y", ("${k}", "b"))]
