"""`linkage repro`: a shell script that shows a variant's result and needs only rustc and cc."""

import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.build.command import WORK, Command, Glob
from harness.build.plan import Plan, PlannedStep, plan
from harness.build.store import Store
from harness.case import steps as model
from harness.errors import ExitCode, LinkageError
from harness.judge.names import escape
from harness.judge.verdict import Failure, Verdict
from harness.places import cache_folder, store_folder
from harness.report.locate import one_case, variants
from harness.session import Session, sources
from harness.toolchain import Toolchain, discover


@contextmanager
def session_for(env: Mapping[str, str]) -> Iterator[Session]:
    """A session on the user's store."""
    yield Session(Store(store_folder(None, env)), cache_folder(env), environment=dict(env))


def chosen_toolchains(session: Session, specs: Sequence[str], named: str | None) -> list[Toolchain]:
    """The toolchains asked for, or the one that a node id names. Raises ToolchainError."""
    found = session.toolchains(specs or ([named] if named else discover(session.environment)))
    return [one for one in found if named in (None, one.name)] or found


def write_repro(text: str, specs: Sequence[str], output: str | None) -> int:
    """Write the script of one variant. Raises LinkageError where the id means several."""
    case, named, cell = one_case(text)
    if cell is None and len(case.rows) > 1:
        raise LinkageError(
            f"this case has {len(case.rows)} variants",
            where=text,
            mend=f"name one, as {case.name}[{case.ids[0]}]",
        )
    with session_for(os.environ) as session:
        toolchain = chosen_toolchains(session, specs, named)[0]
        variant = variants(case, toolchain, cell)[0]
        reason = session.skip_reason(variant)
        if reason is not None:
            raise LinkageError(f"this variant cannot be run: {reason}", where=variant.id)
        planned = plan(variant)
        script = repro_script(planned, sources(variant), session.verdict(variant))
    if output is None:
        sys.stdout.write(script)
        return ExitCode.OK
    try:
        Path(output).write_text(script, encoding="utf-8")
        Path(output).chmod(0o755)
    except OSError as error:
        raise LinkageError(
            f"cannot be written: {error.strerror}", where=output, mend="choose another file"
        ) from None
    return ExitCode.OK


def repro_script(planned: Plan, files: Mapping[str, bytes], verdict: Verdict) -> str:
    """The script: the sources, the commands, and what is then to be seen."""
    variant = planned.variant
    lines = [
        "#!/bin/sh",
        f"# {escape(variant.case.model.summary)}",
        f"# {escape(variant.id)}",
        f"# with {variant.toolchain.version}; another compiler: RUSTC=/path/to/rustc sh THIS_FILE",
        "set -u",
        f"RUSTC=${{RUSTC:-{shlex.quote(str(variant.toolchain.rustc))}}}",
        'WORK=$(mktemp -d) && cd "$WORK" || exit 1',
        'SYSROOT=$("$RUSTC" --print sysroot)',
        'echo "in $WORK"',
        "",
    ]
    for name, content in sorted(files.items()):
        lines += _source(name, content)
    for step in planned.steps:
        lines += _step(step, planned)
    lines += ["", *_seen(verdict)]
    return "\n".join(lines) + "\n"


def _source(name: str, content: bytes) -> list[str]:
    quoted = shlex.quote(name)
    folder = [f"mkdir -p {shlex.quote(str(Path(name).parent))}"] if "/" in name else []
    try:
        text = content.decode()
    except UnicodeDecodeError:
        octal = "".join(f"\\{byte:03o}" for byte in content)
        return [*folder, f"printf '{octal}' > {quoted}"]
    end = "END_OF_FILE"
    while end in text:
        end += "_"
    if not text.endswith("\n"):
        return [*folder, f"printf %s {shlex.quote(text)} > {quoted}"]
    return [*folder, f"cat > {quoted} <<'{end}'", text.removesuffix("\n"), end]


def _step(step: PlannedStep, planned: Plan) -> list[str]:
    if step.together:
        return [*(f"{{ {'; '.join(_step(part, planned))}; }} &" for part in step.together), "wait"]
    if step.command is None:
        return _operation(step)
    command = step.command
    line = _command(command, planned)
    lines = [f"echo {shlex.quote('+ ' + ' '.join(_words(command)))}", line]
    expected = step.model.exit if isinstance(step.model, model.ProcessStep) else 0
    lines.append(f'echo "  exit status $? (the case says {expected})"')
    if getattr(step.model, "keep", None):
        kept = f"KEPT_{_identifier(step.id)}"
        lines[1] = (
            f"{kept}=$({line}{' 2>&1 >/dev/null' if getattr(step.model, 'keep', '') == 'stderr' else ''})"
        )
    return lines


def _words(command: Command) -> list[str]:
    return [
        word.pattern if isinstance(word, Glob) else word.replace(WORK, "$WORK")
        for word in command.argv
        if word != "--error-format=json"
    ]


def _command(command: Command, planned: Plan) -> str:
    toolchain = planned.variant.toolchain
    places = {str(toolchain.rustc): "$RUSTC", str(toolchain.sysroot): "$SYSROOT", WORK: "$WORK"}
    words = [
        _glob(word) if isinstance(word, Glob) else _quoted(word, places)
        for word in command.argv
        if word != "--error-format=json"
    ]
    env = [f"{key}={_quoted(value, places)}" for key, value in {"LC_ALL": "C", **command.env}.items()]
    line = " ".join([*env, *words])
    if command.stdin is not None:
        line = f"printf %s {shlex.quote(command.stdin)} | {line}"
    return f"(cd {shlex.quote(command.cwd)} && {line})" if command.cwd != "." else line


def _glob(glob: Glob) -> str:
    if glob.archive is None:
        return glob.pattern
    chosen = f'case $m in {glob.pattern}) echo "$m";; esac'
    return f"$(ar t {shlex.quote(glob.archive)} | while read -r m; do {chosen}; done)"


def _quoted(word: str, places: Mapping[str, str]) -> str:
    """A word for the shell, the places that differ between machines as variables."""
    marks = {place: f"\x00{index}\x00" for index, place in enumerate(places)}
    for place, mark in marks.items():
        word = word.replace(place, mark)
    kept = word.replace("${kept.", "\x01")
    quoted = shlex.quote(kept) if "\x01" not in kept else f'"{kept}"'
    for mark, variable in zip(marks.values(), places.values(), strict=True):
        quoted = quoted.replace(mark, f'"{variable}"' if not quoted.startswith("'") else f"'\"{variable}\"'")
    while "\x01" in quoted:
        before, _, rest = quoted.partition("\x01")
        name, _, rest = rest.partition("}")
        quoted = f"{before}${{KEPT_{_identifier(name)}}}{rest}"
    return quoted.removeprefix("''").removesuffix("''")


def _identifier(name: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in name)


def _operation(step: PlannedStep) -> list[str]:  # noqa: C901 - one case for each kind of step
    names = {
        key: path if any(char in path for char in "*?") else shlex.quote(path)
        for key, path in step.subjects.items()
    }
    match step.model:
        case model.RemoveStep(remove=what):
            return [f"rm -rf {' '.join(names[name] for name in what)}"]
        case model.MkdirStep(mkdir=folders):
            return [f"mkdir -p {' '.join(names[name] for name in folders)}"]
        case model.WriteStep() as write:
            content = bytes.fromhex(write.hex_) if write.hex_ is not None else (write.text or "").encode()
            octal = "".join(f"\\{byte:03o}" for byte in content)
            file = names[write.write]
            if write.at is None:
                return [f"printf '{octal}' > {file}"]
            place = f"{write.at}" if write.at >= 0 else f"$(($(wc -c < {file}) - {-write.at}))"
            return [f"printf '{octal}' | dd of={file} bs=1 seek={place} conv=notrunc 2>/dev/null"]
        case model.TruncateStep() as cut:
            return [f"truncate -s {cut.size} {names[cut.truncate]}"]
        case model.RenameStep() as rename:
            return [f"mv {names[rename.rename]} {names[rename.to]}"]
        case model.CopyStep() as copy:
            return [f"cp -r {names[copy.copy_]} {names[copy.to]}"]
        case model.SymlinkStep() as link:
            return [f'ln -s "$WORK"/{names[link.to]} {names[link.symlink]}']
        case model.ChmodStep() as chmod:
            return [f"chmod {chmod.mode} {names[chmod.chmod]}"]
        case model.UmaskStep() as umask:
            return [f"umask {umask.umask}"]
        case model.FreshStep() as fresh:
            kept = " ".join(f"! -path './{path}'" for path in step.subjects.values())
            return [
                f"find . -mindepth 1 -type f {kept} -delete".replace("  ", " "),
                *(["# sources are written again below"] if fresh.keep else []),
            ]
        case _:
            raise AssertionError(step.model)


def _seen(verdict: Verdict) -> list[str]:
    lines = [
        f"# the harness's verdict: {verdict.outcome.value}"
        + (f" ({escape(verdict.reason)})" if verdict.reason else "")
    ]
    for failure in verdict.failures:
        lines += _failure(failure)
    return lines


def _failure(failure: Failure) -> list[str]:
    name = ": ".join(part for part in (failure.step, failure.claim) if part)
    lines = [f"# {escape(name)}", *(f"#   claimed: {escape(line)}" for line in failure.claimed.splitlines())]
    lines += [f"#   found:   {escape(line, 400)}" for line in failure.found.splitlines()]
    for look in failure.look:
        lines += [f"echo {shlex.quote('+ ' + look)}", look]
    return lines
