"""Small mistakes of the kind that a careful developer makes, put into the source of a module one at a time."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
SWAPPED_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "popleft": "pop"}

UNHEARD = ("logger", "TypeVar", "NewType")
"""Calls of these change nothing for a user."""

NOT_RUN = ("annotation", "returns", "decorator_list", "bases", "type_params", "names")


@dataclass(frozen=True)
class Mutant:
    """A module's `source` with one mistake, in line `line`; `name` stays the same as long as its statement does."""

    name: str
    line: int
    source: str


@dataclass(frozen=True)
class _Site:
    scope: str
    statement: ast.stmt
    apply: Callable[[], object]


def mutants(source: str) -> Iterator[Mutant]:
    """Each mutant of a module, from top to bottom."""
    for number in range(len(list(_sites(ast.parse(source).body, "")))):
        tree = ast.parse(source)
        site = list(_sites(tree.body, ""))[number]
        before, line = _first_line(site.statement), site.statement.lineno
        holder = ast.If(ast.Constant(True), [site.statement], [])  # what replaces the statement has to be found
        replaced = site.apply()
        after = _first_line(replaced if isinstance(replaced, ast.stmt) else holder.body[0])
        yield Mutant(f"{site.scope}: {before} => {after}", line, ast.unparse(ast.fix_missing_locations(tree)))


def _first_line(node: ast.AST) -> str:
    return ast.unparse(node).partition("\n")[0]


def _sites(block: list[ast.stmt], scope: str) -> Iterator[_Site]:
    for index, statement in enumerate(block):
        if isinstance(statement, (ast.Import, ast.ImportFrom)) or _is_silent(statement):
            continue
        inner = scope
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            inner = f"{scope}.{statement.name}".lstrip(".")
        for replacement in _instead_of(statement):
            yield _Site(scope, statement, partial(_replace, block, index, replacement))
        for node in _expressions(statement):
            if node is not getattr(statement, "test", None) or not _is_yes_or_no(node):
                yield from (_Site(inner, statement, apply) for apply in _mistakes(node, inside=bool(inner)))
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, (ast.ExceptHandler, ast.match_case)):
                yield from _sites(child.body, inner)
        for name in ("body", "orelse", "finalbody"):
            yield from _sites(getattr(statement, name, []), inner)


def _is_yes_or_no(test: ast.AST) -> bool:
    """Whether its being wrong shows as much as that the test is left out, which is tried anyway."""
    return isinstance(test, ast.Compare) and not any(isinstance(op, _ORDERS) for op in test.ops)


_ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def _is_silent(statement: ast.stmt) -> bool:
    """Whether it is a docstring, or speaks to developers only."""
    if not isinstance(statement, ast.Expr):
        return isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"
    return isinstance(statement.value, ast.Constant) or ast.unparse(statement.value).startswith(UNHEARD)


def _instead_of(statement: ast.stmt) -> Iterator[ast.stmt]:
    """What a careless edit leaves of a whole statement."""
    if _has_effect(statement):
        yield ast.Pass()
    elif isinstance(statement, ast.If):
        for answer in (True, False):
            yield ast.If(ast.Constant(answer), statement.body, statement.orelse)
    elif isinstance(statement, ast.With) and all(item.optional_vars is None for item in statement.items):
        yield ast.If(ast.Constant(True), statement.body, [])
    if isinstance(statement, ast.Continue):
        yield ast.Break()


def _has_effect(statement: ast.stmt) -> bool:
    """Whether it does something other than give a name to a value, which would be missed at once."""
    if isinstance(statement, ast.Assign):
        return any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in statement.targets)
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call)
    return isinstance(statement, (ast.Raise, ast.AugAssign, ast.Delete, ast.Continue, ast.Break))


def _replace(block: list[ast.stmt], index: int, statement: ast.stmt) -> ast.stmt:
    block[index] = statement
    return statement


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    """What of a statement is evaluated, without statements within it and what only types or texts are made of."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if name in NOT_RUN or not isinstance(child, ast.AST) or isinstance(child, _APART):
                continue
            if not (isinstance(child, ast.keyword) and child.arg == "strict"):  # of zip: cannot matter in right code
                yield child
                yield from _expressions(child)


_APART = (ast.stmt, ast.ExceptHandler, ast.match_case, ast.JoinedStr)


def _mistakes(node: ast.AST, *, inside: bool) -> Iterator[Callable[[], object]]:
    """Ways to get an expression slightly wrong; numbers only `inside` of a function or class."""
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            yield partial(node.ops.__setitem__, at, SWAPPED[type(operator)]())
    elif isinstance(node, ast.BoolOp) or (isinstance(node, ast.BinOp) and not _is_text(node)):
        if type(node.op) in SWAPPED:
            yield partial(setattr, node, "op", SWAPPED[type(node.op)]())
    elif isinstance(node, ast.IfExp):
        yield from (partial(setattr, node, "test", ast.Constant(answer)) for answer in (True, False))
    elif isinstance(node, ast.comprehension):
        yield from (partial(node.ifs.__setitem__, at, ast.Constant(True)) for at in range(len(node.ifs)))
    elif isinstance(node, ast.Constant) and inside and isinstance(node.value, (int, float)):
        yield partial(setattr, node, "value", _wrong(node.value))
    elif isinstance(node, ast.Name) and node.id in SWAPPED_NAMES:
        yield partial(setattr, node, "id", SWAPPED_NAMES[node.id])
    elif isinstance(node, ast.Attribute) and node.attr in SWAPPED_NAMES:
        yield partial(setattr, node, "attr", SWAPPED_NAMES[node.attr])
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.UnaryOp) and isinstance(value.op, (ast.Not, ast.USub)):
            yield partial(setattr, node, name, value.operand)


def _wrong(value: float) -> float:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) or not value else value * 2


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    )
