"""The script that starts an unpacked compiler."""

import os
from pathlib import Path

import pytest

from linkage.toolchain.query import ask
from linkage.toolchain.sources.debian import tree

LOADER = '#!/bin/sh\necho "loader: $*"\nshift 2\nexec "$@"\n'
RUSTC = '#!/bin/sh\nfor word; do echo "[$word]"; done\n'


def unpack(root: Path, *files: str) -> Path:
    for name in (*files, tree.RUSTC):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(RUSTC if name == tree.RUSTC else LOADER if "/ld-" in name else "")
        file.chmod(0o755)
    return root


def start(script: Path, text: str, *words: str) -> list[str]:
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(text)
    script.chmod(0o755)
    answer = ask([script, *words], os.environ, who="test")
    assert answer.status == 0, answer
    return answer.stdout.splitlines()


def test_the_text(tmp_path: Path) -> None:
    """As it stands beside a compiler of bookworm."""
    files = ("ld-linux-x86-64.so.2", "libc.so.6")
    root = unpack(
        tmp_path, *(f"lib/x86_64-linux-gnu/{file}" for file in files), "usr/lib/x86_64-linux-gnu/a.so"
    )
    assert tree.wrapper(root) == (
        "#!/bin/sh\n"
        "# Starts this rustc with the C library and the LLVM that it was built against.\n"
        'here=$(readlink -f "$0") && here=${here%/*}\n'
        'exec "$here/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" --library-path '
        '"$here/lib/x86_64-linux-gnu:$here/usr/lib/x86_64-linux-gnu" '
        '"$here/usr/bin/rustc" --sysroot "$here/usr" "$@"\n'
    )


@pytest.mark.parametrize("loader", ["lib/x-linux-gnu/ld-2.31.so", "usr/lib/y-linux-gnu/ld-linux-y.so.2"])
def test_it_starts_the_compiler_with_its_own_libraries(tmp_path: Path, loader: str) -> None:
    root = unpack(tmp_path / 'a "b" $c', loader, "usr/lib/llvm-14/lib/libLLVM.so.1", "usr/lib/z/no.a")
    libraries = f"{root / loader}".rpartition("/")[0] + f":{root}/usr/lib/llvm-14/lib"
    said = start(root / "rustc", tree.wrapper(root), "--cfg", 'a="b c"', "")
    assert said == [
        f'loader: --library-path {libraries} {root}/usr/bin/rustc --sysroot {root}/usr --cfg a="b c" ',
        *("[--sysroot]", f"[{root}/usr]", "[--cfg]", '[a="b c"]', "[]"),
    ]


def test_folder_can_be_moved_and_linked(tmp_path: Path) -> None:
    root = unpack(tmp_path / "first", "lib/x-linux-gnu/ld-linux-x.so.2")
    start(root / "rustc", tree.wrapper(root))
    moved = root.rename(tmp_path / "second")
    link = tmp_path / "link"
    link.symlink_to("second/rustc")
    answer = ask([link], os.environ, who="test")
    assert answer.stdout.splitlines()[1:] == ["[--sysroot]", f"[{moved}/usr]"]


def test_wrapper_can_be_elsewhere(tmp_path: Path) -> None:
    root = unpack(tmp_path / "it's $HOME", "lib/x-linux-gnu/ld-linux-x.so.2")
    said = start(tmp_path / "scripts/rustc", tree.wrapper(root, elsewhere=True))
    assert said[1:] == ["[--sysroot]", f"[{root}/usr]"]


def test_a_link_to_the_machines_loader_is_not_the_compilers(tmp_path: Path) -> None:
    root = unpack(tmp_path / "root")
    own = root / "usr/lib/x-linux-gnu/ld-linux-x.so.2"
    elsewhere = tmp_path / "ld-linux-x.so.2"
    own.parent.mkdir(parents=True)
    elsewhere.write_text(LOADER)
    own.symlink_to(elsewhere)
    assert tree.loader_of(root) not in (own, elsewhere)
    (own.parent / "ld-linux-z.so.2").write_text(LOADER)
    own.unlink()
    own.symlink_to("ld-linux-z.so.2")
    assert tree.loader_of(root) == own


def test_without_a_c_library_the_machines_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = unpack(tmp_path / "root", "usr/lib/x-linux-gnu/librustc_driver.so")
    machine = unpack(tmp_path / "machine", "lib64/ld-linux-x.so.2")
    monkeypatch.setattr(tree, "_MACHINE", machine)
    said = start(root / "rustc", tree.wrapper(root))
    assert said[0].startswith(f"loader: --library-path {root}/usr/lib/x-linux-gnu {root}/usr/bin/rustc")
    monkeypatch.setattr(tree, "_MACHINE", tmp_path / "nothing")
    assert start(root / "rustc", tree.wrapper(root)) == ["[--sysroot]", f"[{root}/usr]"]
