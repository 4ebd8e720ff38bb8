"""Every claim about every kind of artifact is judged, refused when its case is read, or an error that names
the format and why: `claims_by_kind.txt` says which, and real files of each kind show it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from linkage.case.output_kinds import EMIT_KINDS, LINK_KINDS, ROLE_KINDS, SIDES
from linkage.case.reader import parse_case
from linkage.compare.artifacts import Differ, DiffOptions
from linkage.compare.model import VariantBuild
from linkage.compare.noise_filters import NoiseFilters
from linkage.compare.normalization import Normalizer
from linkage.compare.variant import built, differences, unjudged
from linkage.plan.plan import Variant
from linkage.run.session import Session
from linkage.store.store import Store
from linkage.toolchain import Toolchain
from support.artifact_kinds import build_every_kind
from support.case_texts import errors_of
from support.claim_forms import VALUES, every_form, missing_keys
from support.no_core_fixtures import NoCoreBuild

TABLE = Path(__file__).with_name("claims_by_kind.txt")
FORMS = every_form()
COMPARED = "linkage compare"
"""The row of what `linkage compare` reports of two files of a kind."""
BESIDE = ("object", "object.other", "twin.o", "user.o", "liboutside.so", "large", "smallest", "archive")
"""Files that claims compare with, or that an archive refers to."""
NO_FILES = {
    "folder": "mkdir", "fifo": "mkfifo", "dangling": "ln -s nowhere", "device": "ln -s /dev/null",
    "nothing": "true",
}  # fmt: skip
"""What is no file, by the command that makes it."""
CODES = {
    "no": dict.fromkeys(("has", "none", "lacks", "lacks all", "count"), "fail"),
    "Y": {"has": "pass", "none": "fail", "lacks": "pass", "lacks all": "fail", "count": "fail"},
    "-": {"has": "fail", "none": "pass", "lacks": "pass", "lacks all": "pass", "count": "pass"},
    "0": {"has": "fail", "none": "pass", "lacks": "error", "lacks all": "error", "count": "pass"},
    "s": {"has": "fail", "none": "error", "lacks": "error"},
    "b": {"has": "pass", "lacks": "error", "lacks all": "fail"},
    "B": {"has": "pass", "lacks": "error", "lacks all": "error"},
    "r": {"has": "fail", "none": "fail", "lacks": "error", "lacks all": "fail", "count": "fail"},
    "m": {"has": "error", "none": "fail", "lacks": "error", "lacks all": "fail", "count": "fail"},
}
"""The verdicts on the forms of a claim that is judged, by the code in a cell; the form `missing` fails."""
Verdicts = Mapping[str, str]
"""By form: `pass`, `fail`, or `error: why`."""


@dataclass(frozen=True)
class Kind:
    """A kind of artifact: its file, what messages call it, and what they say of a member that is not read."""

    file: str
    described: str
    member: str


class ClaimTable:
    """The file: `!CODE message`, `kind CODE FILE description | member`, and grids of cells."""

    def __init__(self) -> None:
        self.messages: dict[str, str] = {}
        self.kinds: dict[str, Kind] = {}
        self.cells: dict[tuple[str, str], str] = {}
        self.roles: tuple[str, ...] = ()
        columns: list[str] = []
        for line in TABLE.read_text().splitlines():
            if line.startswith("!"):
                code, _, message = line.partition(" ")
                self.messages[code] = message.strip()
            elif line.startswith("kind "):
                code, file, rest = line.removeprefix("kind ").split(maxsplit=2)
                described, _, member = rest.partition("|")
                self.kinds[code] = Kind(file, described.strip(), member.strip())
            elif line.startswith(" "):
                columns = line.split()
                self.roles = self.roles if columns[0] in self.kinds else tuple(columns)
            elif line and not line.startswith("#"):
                row, codes = line[:26].strip(), line[26:].split()
                self.cells.update({(row, one): code for one, code in zip(columns, codes, strict=True)})

    def code(self, row: str, kind: Kind, found: Verdicts) -> str:
        """The code that stands for what was found."""
        errors = {why.removeprefix("error: ") for why in found.values() if why.startswith("error: ")}
        short = {form: verdict.partition(":")[0] for form, verdict in found.items()}
        if set(short.values()) == {"error"}:
            return self.error(kind, errors)
        passed = [form for form, verdict in short.items() if verdict == "pass"]
        if row in VALUES and "error" not in short.values():
            return passed[0][:4] if len(passed) == 1 else "no" if not passed else f"all of {passed}"
        for code, expected in CODES.items():
            if all(verdict == expected.get(form, "fail") for form, verdict in short.items()):
                return code
        return f"?{dict(found)}"

    def error(self, kind: Kind, errors: set[str]) -> str:
        for code, message in self.messages.items():
            if "MEMBER" in message and not kind.member:
                continue
            text = message.replace("KIND", kind.described).replace("MEMBER", kind.member)
            if all(text.replace("FILE", kind.file) in why for why in errors):
                return code
        return f"?{errors}"


GIVEN = ClaimTable()


@pytest.fixture(scope="module")
def files(rustc: Path, no_core: NoCoreBuild, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kinds") / "kinds"
    folder.mkdir()
    build_every_kind(folder, rustc, no_core)
    return folder


@pytest.fixture
def session(tmp_path: Path, cache: Path) -> Session:
    return Session(Store(tmp_path / "store"), cache)


def judged(kind: str, files: Path, session: Session, toolchain: Toolchain) -> dict[str, dict[str, str]]:
    """The verdict on each form of each claim about a kind, from a run of a case that has them all."""
    make = NO_FILES.get(kind)
    command = f"for end in '' .other .copy; do {make} {kind}$end; done" if make else f"cp {kind} {kind}.copy"
    names = dict.fromkeys([*BESIDE, *([] if make else [kind, f"{kind}.other"])])
    lines = [
        "summary: Every claim about one kind", f"files: [{', '.join(names)}]",
        f'steps: [{{tool: sh, args: [-c, "{command}"]}}]', "claims:",
    ]  # fmt: skip
    forms = {
        (row, form): text.replace("KIND", kind) for row, all_ in FORMS.items() for form, text in all_.items()
    }
    places: dict[int, tuple[str, str]] = {}
    for subject in dict.fromkeys(text.partition(": ")[0] for text in forms.values()):
        lines.append(f"  {subject}:")
        for place, text in forms.items():
            its, _, claim = text.partition(": ")
            if its == subject:
                lines.append(f"    - {claim}")
                places[len(lines)] = place
    case = parse_case("\n".join(lines), files / "case.yaml", "case.yaml")
    verdict = session.verdict(Variant(case, case.rows[0], toolchain))
    found = {row: dict.fromkeys(all_, "pass") for row, all_ in FORMS.items()}
    for failure in verdict.failures:
        row, form = places[int(failure.where.split(":")[1])]
        found[row][form] = f"error: {failure.found}" if failure.error else "fail"
    return found


def _build(variant: Variant, session: Session) -> VariantBuild:
    seen = session.compared(variant)
    assert not isinstance(seen, str)
    return built(*seen, Normalizer(NoiseFilters()), {})


def compared(kind: Kind, files: Path, session: Session, toolchain: Toolchain) -> str:
    """What a comparison reports of two files of a kind, as a code."""
    make = NO_FILES.get(kind.file)
    text = f"summary: One file\nmatrix: {{which: [{kind.file}, {kind.file}.other]}}\n"
    command = f"{make} out # ${{which}}" if make else "cp ${which} out"
    if not make:
        text += f"files: [{', '.join(dict.fromkeys([*BESIDE, kind.file, f'{kind.file}.other']))}]\n"
    text += f'steps: [{{tool: sh, args: [-c, "{command}"]}}]\n'
    case = parse_case(text, files / "case.yaml", "case.yaml")
    base, head = (_build(Variant(case, row, toolchain), session) for row in case.rows)
    errors = {why for one in (base, head) if (why := unjudged(one)) is not None}
    if errors:
        return GIVEN.error(kind, errors)
    changes = [one.change for one in differences("", base, head, Differ(NoiseFilters(), DiffOptions()))]
    unread = [one.what for one in changes if one.kind == "not compared"]
    if unread:
        code = GIVEN.error(kind, set(unread))
        return f"b{code}" if code.startswith("!") else code
    return "Y" if changes else "="


def refused(role: str, row: str) -> str:
    """`R` if every form of a claim about a role is refused when the case is read, `.` if none is."""
    step = "cc: code.c\n    kind: shared" if role == "shared" else "rustc: lib.rs"
    if role in LINK_KINDS:
        step += f"\n    crate-type: {role}"
    elif role != "shared":
        emit = next(emit for emit, kind in EMIT_KINDS.items() if kind == role)
        step += f"\n    crate-type: lib\n    emit: {emit}"
    subject = f"{'code' if role == 'shared' else 'lib'}.{role}"
    answers = set()
    for text in FORMS[row].values():
        claim = text.partition(": ")[2].replace("KIND", subject)
        before = f"summary: A role\nsources: {{lib.rs: '', code.c: ''}}\nsteps:\n  - {step}\n    claims:\n"
        whole = f"{before}      {subject}:\n        - {claim}\n"
        found = errors_of(whole)
        place = f"case.yaml:{whole.count(chr(10))}:"
        assert all(line.startswith(place) and " does not apply to `" in line for line in found), found
        answers.add("R" if found else ".")
    return answers.pop() if len(answers) == 1 else f"?{answers}"


def test_the_table_names_every_claim_and_every_kind() -> None:
    assert list(missing_keys()) == []
    kinds, rows = set(GIVEN.kinds), {*FORMS, COMPARED}
    of_roles = [
        row for row, forms in FORMS.items() if all(text.startswith("KIND: ") for text in forms.values())
    ]
    expected = {(row, kind) for row in rows for kind in kinds}
    expected |= {(row, role) for row in of_roles for role in GIVEN.roles}
    assert set(GIVEN.cells) == expected
    assert set(GIVEN.roles) == set(ROLE_KINDS) - {"rlink"} - SIDES


@pytest.mark.parametrize("code", GIVEN.kinds)
def test_claims_about_a_kind(code: str, files: Path, session: Session, real_toolchain: Toolchain) -> None:
    kind = GIVEN.kinds[code]
    found = {
        row: GIVEN.code(row, kind, one)
        for row, one in judged(kind.file, files, session, real_toolchain).items()
    }
    found[COMPARED] = compared(kind, files, session, real_toolchain)
    assert found == {row: GIVEN.cells[row, code] for row in (*FORMS, COMPARED)}


@pytest.mark.parametrize("role", GIVEN.roles)
def test_claims_about_a_role(role: str) -> None:
    rows = [row for row, column in GIVEN.cells if column == role]
    assert {row: refused(role, row) for row in rows} == {row: GIVEN.cells[row, role] for row in rows}


def test_a_file_that_becomes_no_file_is_a_change(session: Session, real_toolchain: Toolchain) -> None:
    text = """\
    summary: A file, or a FIFO in its place
    matrix: {command: [touch, mkfifo]}
    steps: [{tool: sh, args: [-c, "${command} out"]}]
    """
    case = parse_case(dedent(text), Path("/nowhere/case.yaml"), "case.yaml")
    file, fifo = (_build(Variant(case, row, real_toolchain), session) for row in case.rows)
    differ = Differ(NoiseFilters(), DiffOptions())
    assert list(differences("", fifo, fifo, differ)) == []
    for base, head, what in (
        (file, fifo, "empty → no regular file"),
        (fifo, file, "no regular file → empty"),
    ):
        (found,) = differences("", base, head, differ)
        assert (found.subject, found.change.kind, found.change.what) == ("out", "format", what)
