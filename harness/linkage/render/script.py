"""A variant as a shell script that needs only rustc, cc and what the case itself calls. Pure.

It carries out the steps as the harness does and stops where the harness stops: after a step that
does not end as the case expects. Exit status 0 where everything is as the case says, else 1.
"""

import posixpath
import shlex
from collections.abc import Iterator, Mapping, Sequence

from linkage.judge.judge import shown_command
from linkage.judge.name_set import escape
from linkage.judge.verdict import Failure, Verdict
from linkage.plan.command import Command, Glob, Word
from linkage.plan.plan import Plan, PlannedStep
from linkage.plan.shell import identifier, pattern, quoted, text_printed, written
from linkage.plan.template import Template
from linkage.render.script_checks import FUNCTIONS, Check, covered, exit_check, group_checks, step_checks

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
        self.places = {str(toolchain.rustc): "RUSTC", str(toolchain.sysroot): "SYSROOT"}

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
            if step.parallel:
                yield from self._together(step, index)
            elif step.operation is not None:
                yield f"{{ {step.operation.shell()}; }} || stop {shlex.quote(f'{step.id}: {step.action}')}"
            elif step.command is not None:
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
        stream = getattr(step.model, "capture", None)
        if stream == "native-static-libs":
            found = f"sed -n 's/^.*native-static-libs: //p' \"$OUT/{name}.stderr\""
            yield f"WORDS_{identifier(step.id)}=$({found})"
            yield f"CAPTURED_{identifier(step.id)}=$WORDS_{identifier(step.id)}"
        elif stream is not None:
            yield f'CAPTURED_{identifier(step.id)}=$(cat "$OUT/{name}.{stream}")'

    def _together(self, step: PlannedStep, index: int) -> Iterator[str]:
        for number, part in enumerate(step.parallel):
            streams = f'"$OUT/{index}.{number}.stdout" 2>"$OUT/{index}.{number}.stderr"'
            line = part.operation.shell() if part.operation is not None else ""
            if part.command is not None:
                yield f"say {shlex.quote('+ ' + shown_command(part.command) + ' &')}"
                line = self._command(part.command)
            yield f"( {line} ) >{streams} & part{number}=$!"
        for number in range(len(step.parallel)):
            yield f"status{number}=0; wait $part{number} || status{number}=$?"
        for number, part in enumerate(step.parallel):
            yield from self._ended(part, f"{index}.{number}", f"status{number}")
            checks = list(step_checks(part, f"$OUT/{index}.{number}", self.version))
            yield from _lines(checks)
            yield from self._found(part.id, checks)

    def _command(self, command: Command) -> str:
        words = [self._word(word, command.cwd) for word in command.typed]
        places = "".join(f"{quoted(Template.of(folder), self.places)}:" for folder in command.path)
        env = [f'PATH={places}"$PATH"'] if places else []
        env += [f"{key}={quoted(value, self.places)}" for key, value in command.env.items()]
        if all(key.isidentifier() for key in command.env):
            line = " ".join([*env, *words])
        else:
            line = " ".join(["env", *env, *words])
        if command.stdin is not None:
            given = text_printed(command.stdin, self.places)
            line = f"{given} | {line}"
        return f"( cd {shlex.quote(command.cwd)} && {line} )" if command.cwd != "." else line

    def _word(self, word: Word, cwd: str) -> str:
        if not isinstance(word, Glob):
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
