"""Foreign text that is printed: it cannot control the terminal."""

from hypothesis import given
from hypothesis import strategies as st

from linkage.host.terminal import escape, escape_lines


def test_control_characters_and_length() -> None:
    assert escape("a\x1b[31m\tb\u202ec\udc80") == r"a\x1b[31m\tb\u202ec\udc80"
    assert escape("x" * 500) == "x" * 200 + "…"
    assert escape("\x1b" * 500) == (r"\x1b" * 50) + "…"
    assert escape("x" * 500, 500) == "x" * 500


@given(st.text(st.characters(categories=None)))
def test_any_text_is_one_printable_line(text: str) -> None:
    shown = escape(text, 20)
    assert shown.isprintable()
    assert shown.endswith("…") or len(text) <= 20
    assert len(shown) <= 200


def test_several_lines_stay_several() -> None:
    assert escape_lines("a\x1b\n\r\n" + "b" * 9, 8) == "a\\x1b\n\\r\n" + "b" * 8 + "…"
