"""Command lines of rustc as faults see them, and to which of them each fault applies."""

from types import ModuleType

import pytest

from mutants.faults import lto_move
from mutants.faults.call import Call
from mutants.faults.table import EVERY, FAULTS

STATICLIB = "lib.rs --edition=2021 --crate-name=mixed --crate-type=staticlib --crate-type=dylib -Clto=fat"
LINK_ONLY = "-Zlink-only mixed.rlink -Clto=fat -o out"
REFUSED = "lib.rs --crate-type=rlib,cdylib"


def call(text: str) -> Call:
    return Call.of(text.split())


def test_flags_are_joined() -> None:
    joined = call("-C lto=fat -l static=x -L . --cfg a lib.rs")
    assert joined.words == ("-Clto=fat", "-lstatic=x", "-L", ".", "--cfg", "a", "lib.rs")
    assert joined.has("-Clto=*")
    assert joined.without("-l*", "--cfg") == ["-Clto=fat", "-L", ".", "a", "lib.rs"]
    assert call("-o a lib.rs").without_option("-o") == ["lib.rs"]


@pytest.mark.parametrize(
    ("text", "types", "source", "crate"),
    [
        (STATICLIB, ("staticlib", "dylib"), "lib.rs", "mixed"),
        (REFUSED, ("rlib", "cdylib"), "lib.rs", "lib"),
        ("a-b.rs", ("bin",), "a-b.rs", "a_b"),
        ("- --crate-name x", ("bin",), "-", "x"),
        (LINK_ONLY, (), None, None),
        ("--extern dep.rs", ("bin",), None, None),
    ],
)
def test_what_is_compiled(text: str, types: tuple[str, ...], source: str | None, crate: str | None) -> None:
    found = call(text)
    assert (found.crate_types, found.source, found.crate) == (types, source, crate)


@pytest.mark.parametrize(
    ("text", "compiles"),
    [
        ("-vV", False),
        ("--print sysroot", False),
        ("--print=file-names lib.rs", False),
        ("--print=native-static-libs lib.rs", True),
        ("--print native-static-libs lib.rs", True),
        ("--print link-args=file lib.rs", True),
        (STATICLIB, True),
        (LINK_ONLY, True),
    ],
)
def test_what_is_a_question_and_what_a_compilation(text: str, compiles: bool) -> None:  # noqa: FBT001
    assert call(text).compiles is compiles
    if not compiles:
        assert not any(fault.applies(call(text)) for fault in EVERY.values())


def test_what_links() -> None:
    assert call(STATICLIB).makes("dylib")
    assert not call(STATICLIB).makes("cdylib", "bin")
    assert not call(f"{STATICLIB} -Zno-link").makes("dylib")
    assert not call(f"{STATICLIB} --emit=metadata").makes("dylib")
    assert call(LINK_ONLY).makes("cdylib")


def test_faults_of_moving_lto_apply_where_it_is_done() -> None:
    found = applying(STATICLIB) & names_of(lto_move)
    assert {"upstream-beside-lto", "lto-module-twice", "shim-beside-lto", "last-type-only"} <= found
    assert {"exports-as-a-cdylib", "undefined-after-lto", "lto-native-lost"} <= found
    assert (
        not {"thin-import-internalised", "exports-as-a-dylib", "split-debug-lost", "rlib-internalised"}
        & found
    )
    assert applying("lib.rs --crate-type=cdylib") & names_of(lto_move) == set()
    assert applying("lib.rs --crate-type=cdylib -Clto=thin") & names_of(lto_move) >= {"script-before-lto"}
    assert {"rlib-internalised", "exports-as-a-dylib"} <= applying(
        "lib.rs --crate-type=rlib --crate-type=cdylib"
    )
    assert {"link-only-metadata-lost", "link-only-exports-all"} <= applying(LINK_ONLY)


def names_of(module: ModuleType) -> set[str]:
    return {one.name for one in module.FAULTS}


def applying(text: str) -> set[str]:
    return {name for name, fault in FAULTS.items() if fault.applies(call(text))}


def test_faults_apply_only_to_steps_with_their_outputs() -> None:
    found = applying(STATICLIB)
    assert {"lto-off", "shim-lost", "index-lost", "metadata-symbol-lost", "output-missing"} <= found
    assert not {"rlink-missing", "export-list-short-of-bin", "sanitizer-ignored", "pie-off"} & found
    assert {"rlink-unchecked", "link-only-idle", "lto-not-repeated", "output-name-ignored"} <= applying(
        LINK_ONLY
    )
    assert "lto-off" not in applying(LINK_ONLY)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_an_effect_and_a_description(name: str) -> None:
    fault = FAULTS[name]
    does = (fault.argv, fault.linker, fault.outputs, fault.refused, fault.said, fault.printed, fault.status)
    assert any(does) or not fault.runs
    assert fault.stands_for
    assert fault.breaks
    assert name == fault.name


@pytest.mark.parametrize(
    ("name", "words", "called"),
    [
        ("prefer-dynamic-ignored", "lib.rs -Cprefer-dynamic -g", "lib.rs -g"),
        ("lto-off", "lib.rs -Clto=fat -Zdylib-lto", "lib.rs"),
        ("lto-thin-for-fat", "lib.rs -Clto=fat", "lib.rs -Clto=thin"),
        ("embed-bitcode-inverted", "lib.rs -Cembed-bitcode=no", "lib.rs -Cembed-bitcode=yes"),
        ("bundle-inverted", "lib.rs -lstatic=x", "lib.rs -lstatic:-bundle=x"),
        ("bundle-inverted", "lib.rs -lstatic:-bundle=x", "lib.rs -lstatic:+bundle=x"),
        ("first-crate-type-only", "l.rs --crate-type=a --crate-type=b", "l.rs --crate-type=a"),
        ("cdylib-is-dylib", "l.rs --crate-type=cdylib", "l.rs --crate-type=dylib"),
        ("print-ignored", "l.rs --print link-args", "l.rs"),
        ("last-type-only", "l.rs --crate-type=a --crate-type=b", "l.rs --crate-type=b"),
    ],
)
def test_what_rustc_is_really_called_with(name: str, words: str, called: str) -> None:
    fault = FAULTS[name]
    assert fault.applies(call(words))
    assert fault.argv is not None
    assert fault.argv(call(words)) == called.split()
