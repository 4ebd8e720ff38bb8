"""--cargo: a small workspace built by both sides, and the files that Cargo reports."""

import json
import shutil
from pathlib import Path

import pytest

from linkage.compare.comparison import Comparison
from linkage.compare.request import ComparisonOptions, compared
from linkage.errors import LinkageError
from linkage.run.cargo import made, messages
from support.changed_library import changes
from support.comparison_project import ComparisonProject

WORKSPACE = {
    "Cargo.toml": """\
[workspace]
members = ["derive", "shared", "archive", "tool"]
resolver = "2"
""",
    "derive/Cargo.toml": """\
[package]
name = "derive"
version = "0.1.0"
edition = "2018"
[lib]
proc-macro = true
""",
    "derive/src/lib.rs": """\
extern crate proc_macro;
use proc_macro::TokenStream;
#[proc_macro] pub fn seven(_: TokenStream) -> TokenStream { "7".parse().unwrap() }
""",
    "shared/Cargo.toml": """\
[package]
name = "shared"
version = "0.1.0"
edition = "2018"
[lib]
crate-type = ["cdylib", "rlib"]
[dependencies]
derive = { path = "../derive" }
""",
    "shared/src/lib.rs": """\
#[no_mangle] pub extern "C" fn shared_seven() -> i32 { derive::seven!() }
#[cfg(more)] #[no_mangle] pub extern "C" fn shared_more() -> i32 { 8 }
pub fn text() -> String { "seven".to_string() }
""",
    "archive/Cargo.toml": """\
[package]
name = "archive"
version = "0.1.0"
edition = "2018"
[lib]
crate-type = ["staticlib"]
""",
    "archive/src/lib.rs": '#[no_mangle] pub extern "C" fn archive_one() -> usize { vec![1].len() }\n',
    "tool/Cargo.toml": """\
[package]
name = "tool"
version = "0.1.0"
edition = "2018"
[dependencies]
shared = { path = "../shared" }
""",
    "tool/src/main.rs": 'fn main() { println!("{}", shared::text()); }\n',
}
MORE = 'case "$*" in *"--crate-name shared "*) set -- "$@" --cfg more ;; esac'


@pytest.fixture
def project(comparison: ComparisonProject) -> Path:
    if not (comparison.rustc.parent / "cargo").exists() and shutil.which("cargo") is None:
        pytest.fail("these tests need a cargo: install a Rust toolchain")
    folder = comparison.folder / "project"
    for name, text in WORKSPACE.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return folder


def compare(comparison: ComparisonProject, head: str, project: Path) -> Comparison:
    given = (f"real={comparison.rustc}", head)
    return compared(
        ComparisonOptions(
            given, store=str(comparison.shared / "store"), cargo=str(project), offline=True, jobs=2
        )
    )


def test_a_workspace_is_the_same_with_the_same_compiler(comparison: ComparisonProject, project: Path) -> None:
    result = compare(comparison, comparison.compiler("same", ""), project)
    assert changes(result) == []
    assert (result.compared, result.same, result.not_compared) == (1, True, ())
    assert result.bytes[0] == result.bytes[1] > 0
    assert sum(result.base.linkers.values()) == 3  # the proc-macro, the cdylib and the program


def test_one_more_export_of_one_crate_is_all_that_is_reported(
    comparison: ComparisonProject, project: Path
) -> None:
    result = compare(comparison, comparison.compiler("more", MORE), project)
    assert changes(result) == [
        ("export new", "cdylib", "shared_more"),
        ("symbol new", "rlib", "shared_more"),
    ], [one.headline() for one in result.groups]


def test_of_a_member_only_what_it_needs_is_built(comparison: ComparisonProject, project: Path) -> None:
    other = comparison.compiler("other", 'case "$*" in *"--crate-name tool "*) exit 1 ;; esac')
    assert compare(comparison, other, project / "shared").same
    assert not compare(comparison, other, project).same


def test_a_project_that_does_not_compile_with_one_side_differs(
    comparison: ComparisonProject, project: Path
) -> None:
    broken = 'case "$*" in *"--crate-name archive "*) set -- "$@" --crate-type=bin ;; esac'
    result = compare(comparison, comparison.compiler("broken", broken), project)
    kinds = {one.kind for one in result.groups}
    assert {"exit", "diagnostic new", "output gone"} <= kinds


def test_folder_without_a_project_is_reported(comparison: ComparisonProject, tmp_path: Path) -> None:
    with pytest.raises(LinkageError, match=r"--cargo .*: no Cargo\.toml"):
        compare(comparison, comparison.compiler("same", ""), tmp_path)
    with pytest.raises(LinkageError, match="takes no cases"):
        compared(ComparisonOptions(("a", "b"), ["case.yaml"], cargo="."))


def artifact(name: str, version: str, kind: str, *files: str) -> str:
    target = {"name": name, "kind": [kind]}
    package = f"registry+https://example.org#{name}@{version}"
    return json.dumps(
        {"reason": "compiler-artifact", "target": target, "package_id": package, "filenames": files}
    )


def test_cargos_messages_give_every_file_a_name() -> None:
    said = [
        artifact("foo-bar", "1.0.0", "lib", "/t/libfoo_bar-01.rlib", "/t/libfoo_bar-01.rmeta"),
        artifact("dep", "1.0.0", "lib", "/t/libdep-01.rlib"),
        artifact("dep", "2.0.0", "lib", "/t/libdep-02.rlib"),
        artifact("mac", "1.0.0", "proc-macro", "/t/libmac-01.so"),
        artifact("build-script-build", "1.0.0", "custom-build", "/t/build-script-build"),
        artifact("tool", "1.0.0", "bin", "/t/tool", "/t/tool.dwp"),
    ]
    text = "\n".join(["a build script says {", *said, '{"reason": "build-finished"}', "{broken", "[1]"])
    assert {name: str(file) for name, file in made(list(messages(text))).items()} == {
        "foo_bar.rlib": "/t/libfoo_bar-01.rlib",
        "foo_bar.rmeta": "/t/libfoo_bar-01.rmeta",
        "dep@1.0.0.rlib": "/t/libdep-01.rlib",
        "dep@2.0.0.rlib": "/t/libdep-02.rlib",
        "mac.proc-macro": "/t/libmac-01.so",
        "build_script_build.build-script": "/t/build-script-build",
        "tool.bin": "/t/tool",
    }
