"""House rules as tests: what the core must not contain, and how long things may get anywhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "exchange" / "core"
SOURCES = [ROOT / name for name in ("exchange", "tradecli", "strategies")]
LINES_MAX = 500
FUNCTION_MAX = 60
BANNED_NAMES = {
    "util",
    "utils",
    "helper",
    "helpers",
    "common",
    "misc",
    "manager",
    "service",
    "base",
    "functions",
}
NAMED_BASE = {Path("exchange/views/base.py")}
PRINTERS = {Path("tradecli/render.py")}
IMPURE = {
    "time",
    "random",
    "datetime",
    "os",
    "sys",
    "io",
    "pathlib",
    "logging",
    "asyncio",
    "threading",
    "uuid",
}
IMPURE |= {"secrets", "socket", "decimal", "multiprocessing", "subprocess", "locale", "json", "sqlite3"}
DEPENDS = {"float", "hash", "id", "open", "input", "eval", "round"}
BLIND = {"Exception", "BaseException"}

Found = Iterator[tuple[int, str]]


def files(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def in_core(tree: ast.AST) -> Found:
    """Everything the deterministic core must not do."""
    sets = set_names(tree)
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        yield from inexact(node, line)
        if isinstance(node, ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith | ast.Await):
            yield line, "async"
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield line, "global"
        elif isinstance(node, ast.ExceptHandler) and is_blind(node):
            yield line, "broad except"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            for name in names:
                if name.partition(".")[0] in IMPURE:
                    yield line, f"import of {name}"
        elif isinstance(node, ast.For | ast.comprehension) and is_set(node.iter, sets):
            yield node.iter.lineno, "iteration over a set"


def inexact(node: ast.AST, line: int) -> Found:
    """Floats, and calls whose answer depends on the process."""
    if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
        yield line, "float literal"
    elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
        yield line, "true division"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in DEPENDS:
        yield line, f"{node.func.id}()"


def is_blind(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(name, ast.Name) and name.id in BLIND for name in names)


def set_names(tree: ast.AST) -> set[str]:
    """Names and attributes that are given a set anywhere in the module."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and is_set(node.value, found):
            found |= {name for target in node.targets for name in target_name(target)}
        elif isinstance(node, ast.AnnAssign) and re.match(r"(frozen)?set\b", ast.unparse(node.annotation)):
            found |= set(target_name(node.target))
    return found


def target_name(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Name):
        return [target.id]
    return [target.attr] if isinstance(target, ast.Attribute) else []


def is_set(node: ast.expr, names: set[str]) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id in ("list", "tuple", "enumerate", "iter") and node.args:
            return is_set(node.args[0], names)
        return node.func.id in ("set", "frozenset")
    if isinstance(node, ast.BinOp):
        return is_set(node.left, names) or is_set(node.right, names)
    return bool(set(target_name(node)) & names)


def lengths(tree: ast.AST) -> Found:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_MAX:
                yield node.lineno, f"{node.name} has {length} lines, at most {FUNCTION_MAX}"


def leftovers(tree: ast.AST) -> Found:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("print", "breakpoint", "pprint"):
                yield node.lineno, f"{node.func.id}()"
        elif isinstance(node, ast.Import) and any(alias.name in ("pdb", "ipdb") for alias in node.names):
            yield node.lineno, "debugger"


def violations(paths: list[Path], rule: Callable[[ast.AST], Found]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in paths
        for line, what in rule(ast.parse(path.read_text(encoding="utf-8")))
    ]


def test_the_core_is_deterministic_by_construction() -> None:
    assert violations(files(CORE), in_core) == []


def test_functions_fit_on_a_screen() -> None:
    assert violations(files(*SOURCES), lengths) == []


def test_files_stay_short() -> None:
    paths = files(*SOURCES, ROOT / "tests", ROOT / "bench")
    counts = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert [f"{path.relative_to(ROOT)}: {n}" for path, n in counts.items() if n > LINES_MAX] == []


def test_no_module_has_a_name_that_fits_anything() -> None:
    names = [path.relative_to(ROOT) for path in files(*SOURCES, ROOT / "tests")]
    bad = [n for n in names if BANNED_NAMES & set(n.stem.lower().split("_")) and n not in NAMED_BASE]
    assert [str(name) for name in bad] == []


def test_nothing_is_left_over() -> None:
    paths = [path for path in files(*SOURCES) if path.relative_to(ROOT) not in PRINTERS]
    assert violations(paths, leftovers) == []
    marks = re.compile(r"\b(FIX" + r"ME|TO" + r"DO|XX" + r"X|HA" + r"CK)\b")
    told = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files(*SOURCES, ROOT / "tests")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert told == []


def test_every_module_says_what_it_owns() -> None:
    bare = [
        str(path.relative_to(ROOT))
        for path in files(*SOURCES)
        if (text := path.read_text(encoding="utf-8")).strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("x = 1.5", "float literal"),
        ("x = a / b", "true division"),
        ("x /= b", "true division"),
        ("x = float(y)", "float()"),
        ("x = hash(y)", "hash()"),
        ("async def f(): pass", "async"),
        ("def f():\n global x", "global"),
        ("try: f()\nexcept: pass", "broad except"),
        ("try: f()\nexcept (KeyError, Exception): pass", "broad except"),
        ("import random", "import of random"),
        ("from time import time_ns", "import of time"),
        ("for x in {1, 2}: pass", "iteration over a set"),
        ("y = [x for x in set(z)]", "iteration over a set"),
        ("s = frozenset(z)\nfor x in s: pass", "iteration over a set"),
        ("s: set[int] = z\nfor x in list(s): pass", "iteration over a set"),
        ("self.s = {1}\nfor x in self.s | t: pass", "iteration over a set"),
    ],
)
def test_the_core_rules_fire(code: str, what: str) -> None:
    assert what in [found for _, found in in_core(ast.parse(code))]


def test_the_other_rules_fire() -> None:
    long = "def f():\n" + "    x = 1\n" * FUNCTION_MAX
    assert list(lengths(ast.parse(long))) == [(1, f"f has {FUNCTION_MAX + 1} lines, at most {FUNCTION_MAX}")]
    left = sorted(leftovers(ast.parse("print(1)\nbreakpoint()\nimport pdb")))
    assert [what for _, what in left] == ["print()", "breakpoint()", "debugger"]
    assert [
        what for _, what in in_core(ast.parse("for x in sorted({1}): pass\ny = 3 // 2\nz = x in {1}"))
    ] == []
