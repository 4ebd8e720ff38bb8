"""The pages of a report: what is in them, that links lead somewhere, and that nothing in a case is markup."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath

from linkage.case.case import Case
from linkage.judge.nights import Night
from linkage.judge.results import Compiler, KeptBug, KeptFailure, KeptResult
from linkage.render.grid import grid
from linkage.render.page.chart import HEIGHT, WIDTH, chart
from linkage.render.page.site import ReportInput, site
from support.case_texts import read

STABLE, NIGHTLY = Compiler("stable", "1.95.0", "a"), Compiler("nightly", "1.97.0-nightly", "b")
HOSTILE = "<script>alert(1)</script>\x1b[31m"


def case(folder: Path, name: str = "one", summary: str = "One subject") -> Case:
    text = f"""\
        summary: {summary!r}
        refs: rust-lang/rust#145962
        matrix: {{lto: [off, fat]}}
        sources: {{lib.rs: ""}}
        steps: [{{rustc: lib.rs, crate-type: rlib}}]
        """
    found = read(text, folder)
    (folder / f"{name}.yaml").write_text("")
    return Case(folder / f"{name}.yaml", f"{name}.yaml", found.model, found.document)


def result(of: Case, cell: str, outcome: str, compiler: Compiler = STABLE, **more: object) -> KeptResult:
    return KeptResult(str(of.file), cell, compiler, outcome, when=1e9, sources=of.digest, **more)  # type: ignore[arg-type]


def pages(
    base: Path, kept: Sequence[tuple[Case, Sequence[KeptResult]]], nights: Sequence[Night] = ()
) -> dict[str, str]:
    shown = grid(kept, by_variant=True)
    return dict(site(ReportInput(kept, shown, base, "2026-11-28 10:00 UTC", nights)))


class Links(HTMLParser):
    """The links and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links += [value for name in ("href", "src") if (value := given.get(name))]
        self.anchors |= {value for name, value in attrs if name == "id" and value}
        if tag not in {"meta", "link", "br", "input", "line", "polygon"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"line", "polygon"}:
            assert self.open.pop() == tag


def check_links(found: dict[str, str]) -> None:
    parsed = {name: Links(text) for name, text in found.items() if name.endswith(".html")}
    for name, page in parsed.items():
        for link in page.links:
            if link.startswith("https://github.com/"):
                continue
            place, _, anchor = link.partition("#")
            target = normpath(join(dirname(name), place)) if place else name
            assert target in found, f"{name} links to {link}"
            assert not anchor or anchor in parsed[target].anchors, f"{name} links to {link}"
        assert page.open == [], f"{name} is not closed"


def test_pages_and_their_links(tmp_path: Path) -> None:
    one = case(tmp_path)
    failure = KeptFailure("lib", "lib.dylib.exports.all", "lacks answer", where="one.yaml:9:7")
    kept = [
        result(one, "lto=off", "pass"),
        result(one, "lto=fat", "fail", failures=(failure,), reason="a note"),
        result(one, "lto=off", "known", NIGHTLY, bugs=(KeptBug("rust-lang/rust#145962", "no shim"),)),
    ]
    found = pages(tmp_path, [(one, kept)])
    assert sorted(found) == ["bugs.html", "case/one.html", "filter.js", "index.html", "style.css"]
    check_links(found)
    assert "1 case on 2 toolchains" in found["index.html"]
    assert "One subject" in found["index.html"]
    assert "lib: lib.dylib.exports.all: lacks answer" in found["index.html"]
    page = found["case/one.html"]
    for text in (
        "one.yaml:9:7",
        "lacks answer",
        "linkage repro &#39;one.yaml::stable[lto=fat]&#39;",
        "a note",
    ):
        assert text in page
    assert "no shim" in found["bugs.html"]
    assert '<a href="https://github.com/rust-lang/rust/issues/145962">' in found["bugs.html"]


def test_nothing_in_a_case_is_markup(tmp_path: Path) -> None:
    one = case(tmp_path, "one", f"A {HOSTILE.partition(chr(27))[0]} case")
    compiler = Compiler(HOSTILE, HOSTILE, "a")
    failure = KeptFailure(HOSTILE, HOSTILE, f"{HOSTILE}\n{HOSTILE}", where=HOSTILE)
    bug = KeptBug(HOSTILE, HOSTILE)
    known = result(one, "lto=off", "known", compiler, bugs=(bug,), reason=HOSTILE)
    fails = result(one, "lto=fat", "fail", compiler, failures=(failure,), reason=HOSTILE, obtained=HOSTILE)
    nights = [
        Night(1, date, {HOSTILE: HOSTILE}, {HOSTILE: (HOSTILE,)}, {HOSTILE: {HOSTILE: letter}})
        for date, letter in (("2026-11-27", "p"), ("2026-11-28", "f"))
    ]
    found = pages(tmp_path, [(one, [known, fails])], nights)
    for name, text in found.items():
        if name.endswith(".html"):
            assert "<script>" not in text, name
            assert "\x1b" not in text, name
    assert "&lt;script&gt;" in found["history.html"]


def test_names_of_pages_are_unique_and_plain(tmp_path: Path) -> None:
    names = ["a_b", "a-b", "A-b", "ä", "a b", "a~b", "a%b"]
    (tmp_path / "a").mkdir()
    cases = [case(tmp_path, name) for name in names] + [case(tmp_path, "a/b")]
    found = pages(tmp_path, [(one, [result(one, "lto=off", "pass")]) for one in cases])
    made = [name for name in found if name.startswith("case/")]
    assert len({name.lower() for name in made}) == len(cases)
    assert all(re.fullmatch(r"case/[a-z0-9_~-]+\.html", name) for name in made)
    check_links(found)


def test_news_and_history(tmp_path: Path) -> None:
    one = case(tmp_path)
    cells = ("lto=fat", "lto=off")
    nights = [
        Night(1, date, {"stable": version}, {"one.yaml": cells}, {"one.yaml": {"stable": letters}})
        for date, version, letters in (
            ("2026-11-26", "1", "pp"), ("2026-11-27", "2", "ff"), ("2026-11-28", "3", "pf"),
        )
    ]  # fmt: skip
    found = pages(tmp_path, [(one, [result(one, "lto=off", "fail")])], nights)
    check_links(found)
    index, history = found["index.html"], found["history.html"]
    assert "New on 2026-11-28" in index
    assert re.search(r"Fixed\s+<span class=\"count\">1 variant<", index)
    assert history.index("2026-11-28: 1 fixed") < history.index("2026-11-27: 2 newly failing")
    assert "Verdicts on stable from 2026-11-26 to 2026-11-28, at most 2 variants" in history
    past = found["case/one.html"].partition('id="history"')[2]
    shown = re.sub(r"\s+", " ", re.sub("<[^>]*>", "", past))
    assert shown.count("pass 2026-11-26 → fail 2026-11-27") == 2
    assert past.count("→") == 3


def test_a_quiet_night(tmp_path: Path) -> None:
    one = case(tmp_path)
    nights = [
        Night(1, date, {"stable": "1"}, {"one.yaml": ("lto=fat",)}, {"one.yaml": {"stable": "p"}})
        for date in ("2026-11-27", "2026-11-28")
    ]
    found = pages(tmp_path, [(one, [result(one, "lto=fat", "pass")])], nights)
    assert "Nothing changed since the night before" in found["index.html"]
    assert "Nothing: every variant passes" in found["index.html"]


def test_a_chart_fills_its_drawing() -> None:
    nights = [
        Night(1, f"2026-11-0{day}", {"s": ""}, {"a": tuple("abcd")}, {"a": {"s": letters}})
        for day, letters in enumerate(["pppp", "ppff", "ppp-"], start=1)
    ]
    drawn = chart("s", nights, [0, 2, 3])
    assert (drawn.most, drawn.first, drawn.last) == (4, "2026-11-01", "2026-11-03")
    assert [str(area.kind) for area in drawn.areas] == ["pass", "fail"]
    middle = WIDTH / 2
    assert drawn.areas[0].points.split()[:3] == [
        "0.0,0.0",
        f"{middle},{HEIGHT / 2}",
        f"{WIDTH:.1f},{HEIGHT / 4}",
    ]
    assert drawn.areas[1].points.split()[1] == f"{middle},0.0"
    assert list(drawn.marks) == [(middle, "2026-11-02", 2), (WIDTH, "2026-11-03", 3)]
    assert [(str(kind), number) for kind, number in drawn.now] == [("pass", 3)]


def test_a_chart_of_one_night_is_a_band() -> None:
    one = Night(1, "2026-11-01", {"s": ""}, {"a": ("x",)}, {"a": {"s": "p"}})
    (area,) = chart("s", [one], [0]).areas
    assert area.points == f"0.0,0.0 {WIDTH:.1f},0.0 {WIDTH:.1f},{HEIGHT:.1f} 0.0,{HEIGHT:.1f}"
    assert chart("another", [one], [0]).areas == ()
