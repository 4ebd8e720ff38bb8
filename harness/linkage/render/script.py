"""A variant as a shell script that needs only rustc, cc and what the case itself calls. Pure.

It carries out the steps as the harness does and stops where the harness stops: after a step that
does not end as the case expects. Exit status 0 where everything is as the case says, else 1.
"""

import posixpath
import shlex
from collections.abc import Iterator, Mapping, Sequence

from linkage.case import steps as model
from linkage.judge.judge import shown_command
from linkage.judge.name_set import escape
from linkage.judge.verdict import Failure, Verdict
from linkage.plan.command import WORK, Command, Glob, typed
from linkage.plan.plan import Plan, PlannedStep
from linkage.render.script_checks import FUNCTIONS, Check, covered, exit_check, group_checks, step_checks
from linkage.render.shell import identifier, pattern, printed, quoted, written

_FOREIGN = "RUSTC_BOOTSTRAP RUSTC_LOG RUST_BACKTRACE LD_LIBRARY_PATH LIBRARY_PATH LD_PRELOAD"
"""Variables of the user's that a run of the harness does not see either."""


def repro_script(planned: Plan, files: Mapping[str, bytes], verdict: Verdict) -> str:
    """The script: the sources, the commands with what is expected of each, and what the harness found."""
    script = _Script(planned, verdict)
    return "\n".join([*script.head(), *_sources(files), *script.steps(), *script.end()]) + "\n"


def _sources(files: Mapping[str, bytes]) -> Iterator[str]:
    yield "sources() {"
    yield ":"
    for name, content in sorted(files.items()):
        yield from written(name, content)
    yield "}"
    yield "sources"


class _Script:
    def __init__(self, planned: Plan, verdict: Verdict) -> None:
        self.planned = planned
        self.verdict = verdict
        toolchain = planned.variant.toolchain
        self.version = toolchain.version
        self.places = {str(toolchain.rustc): "RUSTC", str(toolchain.sysroot): "SYSROOT", WORK: "WORK"}

    def head(self) -> list[str]:
        variant = self.planned.variant
        return [
            "#!/bin/sh",
            # Globs and kept streams are to be split; `$WORK` is shown as it is.
            "# shellcheck disable=SC2016,SC2034,SC2046,SC2086,SC2329,SC2317",
            f"# {escape(variant.case.model.summary)}",
            f"# {escape(variant.id)}",
            f"# with {self.version}; another compiler: RUSTC=/path/to/rustc sh THIS_FILE",
            "set -u",
            f"unset {_FOREIGN}",
            f"RUSTC=${{RUSTC:-{shlex.quote(str(variant.toolchain.rustc))}}}",
            'SYSROOT=$("$RUSTC" --print sysroot) || exit 1',
            "PLACE=$(mktemp -d) || exit 1",
            'WORK=$PLACE/work; OUT=$PLACE/streams; mkdir "$WORK" "$OUT" && cd "$WORK" || exit 1',
            "export LC_ALL=C",
            "wrong=0",
            FUNCTIONS,
            'say "in $WORK"',
            "",
        ]

    def steps(self) -> Iterator[str]:
        for index, step in enumerate(self.planned.steps):
            yield ""
            yield f"# step {escape(step.id)}"
            if step.together:
                yield from self._together(step, index)
            elif step.command is None:
                yield f"{{ {_operation(step)}; }} || stop {shlex.quote(f'{step.id}: {step.action}')}"
            else:
                yield from self._process(step, step.command, str(index))
            checks = list(step_checks(step, f"$OUT/{index}", self.version))
            yield from _lines(checks)
            yield from self._found(step.id, checks)

    def _process(self, step: PlannedStep, command: Command, name: str) -> Iterator[str]:
        yield f"say {shlex.quote('+ ' + shown_command(command))}"
        yield "status=0"
        yield f'{self._command(command)} >"$OUT/{name}.stdout" 2>"$OUT/{name}.stderr" || status=$?'
        yield from self._ended(step, name, "status")

    def _ended(self, step: PlannedStep, name: str, status: str) -> Iterator[str]:
        yield f'cat "$OUT/{name}.stdout"; cat "$OUT/{name}.stderr" >&2'
        yield exit_check(step, status)
        kept = getattr(step.model, "capture", None)
        if kept == "native-static-libs":
            found = f"sed -n 's/^.*native-static-libs: //p' \"$OUT/{name}.stderr\""
            yield f"WORDS_{identifier(step.id)}=$({found})"
        elif isinstance(step.model, model.ProcessStep) and kept is not None:
            yield f'CAPTURED_{identifier(step.id)}=$(cat "$OUT/{name}.{kept}")'

    def _together(self, step: PlannedStep, index: int) -> Iterator[str]:
        for number, part in enumerate(step.together):
            streams = f'"$OUT/{index}.{number}.stdout" 2>"$OUT/{index}.{number}.stderr"'
            if part.command is not None:
                yield f"say {shlex.quote('+ ' + shown_command(part.command) + ' &')}"
            line = _operation(part) if part.command is None else self._command(part.command)
            yield f"( {line} ) >{streams} & part{number}=$!"
        for number in range(len(step.together)):
            yield f"status{number}=0; wait $part{number} || status{number}=$?"
        for number, part in enumerate(step.together):
            yield from self._ended(part, f"{index}.{number}", f"status{number}")
            checks = list(step_checks(part, f"$OUT/{index}.{number}", self.version))
            yield from _lines(checks)
            yield from self._found(part.id, checks)

    def _command(self, command: Command) -> str:
        words = [self._word(word, command.cwd) for word in typed(command)]
        places = "".join(f"{quoted(folder, self.places)}:" for folder in command.path)
        env = [f'PATH={places}"$PATH"'] if places else []
        env += [f"{key}={quoted(value, self.places)}" for key, value in command.env.items()]
        if all(key.isidentifier() for key in command.env):
            line = " ".join([*env, *words])
        else:
            line = " ".join(["env", *env, *words])
        if command.stdin is not None:
            given = quoted(command.stdin, self.places)
            given = printed(command.stdin.encode()) if given.startswith("'") else f"printf %s {given}"
            line = f"{given} | {line}"
        return f"( cd {shlex.quote(command.cwd)} && {line} )" if command.cwd != "." else line

    def _word(self, word: str | Glob, cwd: str) -> str:
        if isinstance(word, str):
            return quoted(word, self.places)
        if word.archive is None:
            return self._files(word.pattern, cwd)
        chosen = f'case $member in {pattern(word.pattern)}) echo "$member" ;; esac'
        archive = shlex.quote(posixpath.relpath(word.archive, cwd))
        return f"$(ar t {archive} | while read -r member; do {chosen}; done)"

    def _files(self, glob: str, cwd: str) -> str:
        """A glob over the working folder's files, or over the toolchain's."""
        sysroot = str(self.planned.variant.toolchain.sysroot)
        if glob.startswith(f"{sysroot}/"):
            return f'"$SYSROOT"{pattern(glob.removeprefix(sysroot))}'
        return pattern(glob if glob.startswith("/") else posixpath.relpath(glob, cwd))

    def _found(self, step: str, checks: Sequence[Check]) -> Iterator[str]:
        """What the harness found at a step and the script does not check by itself."""
        for failure in self.verdict.failures:
            if failure.step == step and not covered(checks, failure.claim):
                yield from _told(failure)

    def end(self) -> Iterator[str]:
        checks = [check for group in self.planned.end for check in group_checks(group, self.version)]
        if checks or any(failure.step == "end" for failure in self.verdict.failures):
            yield ""
            yield "# at the end"
        yield from _lines(checks)
        yield from self._found("end", checks)
        verdict = self.verdict
        reason = f" ({escape(verdict.reason)})" if verdict.reason else ""
        yield ""
        yield f"# the harness's verdict was: {verdict.outcome.value}{reason}"
        yield '[ "$wrong" -eq 0 ] && say "everything is as the case says"'
        yield 'exit "$wrong"'


def _lines(checks: Sequence[Check]) -> Iterator[str]:
    yield from dict.fromkeys(check.line for check in checks)


def _told(failure: Failure) -> Iterator[str]:
    """A failure that the script cannot check: the command that shows it, then what was found with it."""
    for look in failure.look:
        yield f"say {shlex.quote('+ ' + look)}"
        yield look
    name = ": ".join(part for part in (failure.step, failure.claim) if part)
    found = " / ".join(escape(line, 400) for line in failure.found.splitlines())
    text = f"{name}: claimed: {escape(failure.claimed, 400)}; the harness found: {found}"
    yield f"miss {shlex.quote(text)}"


def _operation(step: PlannedStep) -> str:  # noqa: C901 - one case for each kind of step
    """A file operation as one command."""
    names = {key: pattern(path) for key, path in step.subjects.items()}
    match step.model:
        case model.RemoveStep(remove=what):
            return f"rm -r -- {' '.join(names[name] for name in what)}"
        case model.MkdirStep(mkdir=folders):
            return f"mkdir -p -- {' '.join(names[name] for name in folders)}"
        case model.WriteStep() as write:
            return _write(write, step.subjects[write.write])
        case model.TruncateStep() as cut:
            size = f"'<{cut.size}'" if cut.size >= 0 else str(cut.size)
            return f"truncate -s {size} {names[cut.truncate]}"
        case model.RenameStep() as rename:
            return f"mv -- {names[rename.rename]} {names[rename.to]}"
        case model.CopyStep() as copy:
            return f"cp -rp -- {names[copy.copy_]} {names[copy.to]}"
        case model.SymlinkStep() as link:
            place = step.subjects[link.symlink]
            target = posixpath.relpath(step.subjects[link.to], posixpath.dirname(place) or ".")
            return f"ln -s -- {shlex.quote(target)} {shlex.quote(place)}"
        case model.ChmodStep() as chmod:
            return f"chmod {chmod.mode} {names[chmod.chmod]}"
        case model.UmaskStep() as umask:
            return f"umask {umask.umask}"
        case model.CleanStep():
            return _clean(sorted(step.subjects.values()))
        case _:
            raise AssertionError(step.model)


def _write(write: model.WriteStep, path: str) -> str:
    content = bytes.fromhex(write.hex_) if write.hex_ is not None else (write.text or "").encode()
    file = shlex.quote(path)
    if write.offset is None:
        folder = posixpath.dirname(path)
        made = f"mkdir -p -- {shlex.quote(folder)} && " if folder else ""
        return f"{made}{printed(content)} >{file}"
    place = str(write.offset) if write.offset >= 0 else f"$(($(wc -c <{file}) - {-write.offset}))"
    return f"{printed(content)} | dd of={file} bs=1 seek={place} conv=notrunc 2>/dev/null"


def _clean(kept: Sequence[str]) -> str:
    spared = "".join(f" ! -path {shlex.quote(f'./{path}{end}')}" for path in kept for end in ("", "/*"))
    empty = "find . -mindepth 1 -depth -type d -empty" + spared + " -delete"
    return f"find . -mindepth 1 ! -type d{spared} -delete && {empty} && sources"
