"""Patterns that are not the harness's own are matched in one place, in bounded time."""

import ast
from pathlib import Path

import linkage


def test_only_one_module_matches_patterns_that_are_not_its_own() -> None:
    """Everywhere else, what is given to `re` and `regex` is written there."""
    root = Path(linkage.__file__).parent
    found = {
        f"{path.relative_to(root)}: {ast.unparse(node)}"
        for path in root.rglob("*.py")
        if path.name != "regular_expression.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("re", "regex")
        and node.func.attr != "escape"
        and not (node.args and _is_written_there(node.args[0]))
    }
    assert found == {
        "case/yaml_errors.py: re.search(kind.pattern, words)",  # its own table of PyYAML's messages
        "run/runner_faults.py: re.match(pattern, line)",  # likewise of runners' messages
        "run/runner_faults.py: re.match(refused, line)",  # made of the names of runners, escaped
        "compare/noise_filters.py: re.compile(pattern, re.ASCII | flags)",  # the rows of its own table
    }


def _is_written_there(pattern: ast.expr) -> bool:
    """A constant; a name in capitals in an f-string is one, too."""
    match pattern:
        case ast.Constant():
            return True
        case ast.Name():
            return _is_constant(pattern)
        case ast.JoinedStr():
            return all(
                isinstance(part, ast.Constant)
                or (isinstance(part, ast.FormattedValue) and _is_constant(part.value))
                for part in pattern.values
            )
    return False


def _is_constant(value: ast.expr) -> bool:
    """Also a text that is escaped, which matches itself alone."""
    escaped = isinstance(value, ast.Call) and ast.unparse(value.func) == "re.escape"
    joined = ast.unparse(value) == "'|'.join(map(re.escape, marks))"
    return escaped or joined or (isinstance(value, ast.Name) and value.id.isupper())
