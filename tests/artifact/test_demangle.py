"""Demangling: both Rust schemes, C++, and what LLVM and GCC append."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.artifact import read
from linkage.artifact.demangle import demangle, demangled_path

HASH = "17h0123456789abcdefE"
CASES = [
    (f"_ZN3std2io5stdio6_print{HASH}", "std::io::stdio::_print::h0123456789abcdef", "std::io::stdio::_print"),
    (
        f"_ZN42_$LT$$RF$T$u20$as$u20$core..fmt..Debug$GT$3fmt{HASH}.llvm.16791135377908753612",
        "<&T as core::fmt::Debug>::fmt::h0123456789abcdef.llvm.16791135377908753612",
        "<&T as core::fmt::Debug>::fmt",
    ),
    ("_RNvCseulmdZsCeCG_7___rustc12___rust_alloc", "__rustc::__rust_alloc", "__rustc::__rust_alloc"),
    ("_RNvCs1_1a1b.cold", "a::b.cold", "a::b"),
    ("_RNvNtNtCsaYPHcBsLA6u_3std2io5stdio3USE.0", "std::io::stdio::USE.0", "std::io::stdio::USE"),
    ("_RNvMs_Cs1_1aNtB4_1S1f", "<a::S>::f", "<a::S>::f"),
    ("_ZN1a1bEi", "a::b(int)", "a::b(int)"),
    ("main", "main", "main"),
    ("__rust_alloc", "__rust_alloc", "__rust_alloc"),
    ("_Znonsense", "_Znonsense", "_Znonsense"),
    ("foo.cold", "foo.cold", "foo.cold"),
    ("a\udc80", "a\udc80", "a\udc80"),
    ("_R\udc80", "_R\udc80", "_R\udc80"),
    ("_RN\udc80", "_RN\udc80", "_RN\udc80"),
]


@pytest.mark.parametrize(("name", "whole", "path"), CASES)
def test_names(name: str, whole: str, path: str) -> None:
    assert demangle(name) == whole
    assert demangled_path(name) == path


def test_every_name_of_a_static_library(built: dict[str, Path]) -> None:
    archive = read(built["staticlib"]).archive
    assert archive is not None
    tables = [member.object.symbols for member in archive.members if member.object and member.object.symbols]
    names = {name for table in tables for name, _ in table.bindings() if re.match("_ZN|_R[A-Z]", name)}
    assert len(names) > 1000
    assert not [name for name in names if demangle(name) == name]
    paths = {demangled_path(name) for name in names}
    assert "core::panicking::panic_fmt" in paths
    assert not [path for path in paths if re.search(r"17h[0-9a-f]{16}|::h[0-9a-f]{16}$|\$LT\$", path)]


@given(st.text() | st.from_regex(r"_(R|ZN)[A-Za-z0-9_$.]{0,60}"))
def test_any_text(name: str) -> None:
    assert isinstance(demangle(name), str)
    assert isinstance(demangled_path(name), str)
