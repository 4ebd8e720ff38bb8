"""What is waited for is told, after a moment: by the command itself, with a compiler that does not answer."""

import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from linkage.host import waiting
from support.runs import ROOT


def test_what_is_quick_says_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "SILENT", 30.0)
    with waiting.announced("nothing", 60):
        pass
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("where", ["a log", "a terminal"])
@pytest.mark.parametrize(
    "words", [("run",), ("explain", "case.yaml"), ("toolchains",)], ids=lambda words: words[0]
)
def test_a_compiler_that_does_not_answer(words: tuple[str, ...], where: str, tmp_path: Path) -> None:
    (tmp_path / "case.yaml").write_text("summary: A case\nsteps: [{tool: ar}]\n")
    compiler = tmp_path / "dead"
    compiler.write_text("#!/bin/sh\nexec sleep 1000\n")
    compiler.chmod(0o755)
    more = ("case.yaml",) if words == ("run",) else ()
    command = [sys.executable, "-m", "linkage", *words, *more, "--toolchain", str(compiler)]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "harness"), "LINKAGE_CACHE": str(tmp_path / "cache")}
    main, side = pty.openpty() if where == "a terminal" else os.pipe()
    process = subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, stderr=side)
    os.close(side)
    seen, deadline = b"", time.monotonic() + 100
    wanted = f"linkage: waiting for `{compiler} -vV` (at most 60 s)".encode()
    try:
        while wanted not in seen:
            assert time.monotonic() < deadline, seen
            chunk = os.read(main, 4096)
            assert chunk, seen
            seen += chunk
    finally:
        process.kill()
        process.wait()
        os.close(main)
