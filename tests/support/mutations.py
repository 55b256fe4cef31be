"""Small mistakes that a careful developer might make, applied to the source of a module one at a time."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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


@dataclass
class _Edit:
    """Another value in one place of the tree; swapping twice restores the first value."""

    holder: Any
    key: int | str
    value: object

    def swap(self) -> None:
        if isinstance(self.key, str):
            before = getattr(self.holder, self.key)
            setattr(self.holder, self.key, self.value)
        else:
            before, self.holder[self.key] = self.holder[self.key], self.value
        self.value = before


def mutants(source: str) -> Iterator[Mutant]:
    """Yield each mutant of a module, from top to bottom."""
    tree = ast.parse(source)
    for scope, statement, edit in list(_places(tree.body, "")):
        before = _first_line(statement)
        edit.swap()
        after = _first_line(edit.holder[edit.key] if isinstance(edit.value, ast.stmt) else statement)
        yield Mutant(f"{scope}: {before} => {after}", statement.lineno, ast.unparse(ast.fix_missing_locations(tree)))
        edit.swap()


def _first_line(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(node)).partition("\n")[0]


def _places(block: list[ast.stmt], scope: str) -> Iterator[tuple[str, ast.stmt, _Edit]]:
    """Yield the places for a mistake, with the statement and the function or class around them."""
    for index, statement in enumerate(block):
        if isinstance(statement, (ast.Import, ast.ImportFrom)) or _is_silent(statement):
            continue
        inner = scope
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inner = f"{scope}.{statement.name}".lstrip(".")
        for replacement in _instead_of(statement):
            yield scope, statement, _Edit(block, index, replacement)
        for node in _expressions(statement):
            if node is not getattr(statement, "test", None) or not _is_yes_or_no(node):
                yield from ((inner, statement, edit) for edit in _mistakes(node, inside=bool(inner)))
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, (ast.ExceptHandler, ast.match_case)):
                yield from _places(child.body, inner)
        for name in ("body", "orelse", "finalbody"):
            yield from _places(getattr(statement, name, []), inner)


def _is_yes_or_no(test: ast.AST) -> bool:
    """Whether a wrong value is tested anyway, by the mutant that replaces the condition."""
    return isinstance(test, ast.Compare) and not any(isinstance(op, _ORDERS) for op in test.ops)


_ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def _is_silent(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring or only addresses developers."""
    if not isinstance(statement, ast.Expr):
        return isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"
    return isinstance(statement.value, ast.Constant) or ast.unparse(statement.value).startswith(UNHEARD)


def _instead_of(statement: ast.stmt) -> Iterator[ast.stmt]:
    """Yield what a careless edit leaves of a whole statement."""
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
    """Whether a statement does more than name a value, whose loss would be noticed at once."""
    if isinstance(statement, ast.Assign):
        return any(isinstance(target, (ast.Attribute, ast.Subscript)) for target in statement.targets)
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call)
    return isinstance(statement, (ast.Raise, ast.AugAssign, ast.Delete, ast.Continue, ast.Break))


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the expressions of a statement that are evaluated, without inner statements, types and texts."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if name in NOT_RUN or not isinstance(child, ast.AST) or isinstance(child, _APART):
                continue
            if not (isinstance(child, ast.keyword) and child.arg == "strict"):  # of zip: cannot matter
                yield child
                yield from _expressions(child)


_APART = (ast.stmt, ast.ExceptHandler, ast.match_case, ast.JoinedStr)


def _mistakes(node: ast.AST, *, inside: bool) -> Iterator[_Edit]:
    """Yield ways to get an expression slightly wrong; numbers only `inside` a function or class."""
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            yield _Edit(node.ops, at, SWAPPED[type(operator)]())
    elif isinstance(node, ast.BoolOp) or (isinstance(node, ast.BinOp) and not _is_text(node)):
        if type(node.op) in SWAPPED:
            yield _Edit(node, "op", SWAPPED[type(node.op)]())
    elif isinstance(node, ast.IfExp):
        yield from (_Edit(node, "test", ast.Constant(answer)) for answer in (True, False))
    elif isinstance(node, ast.comprehension):
        yield from (_Edit(node.ifs, at, ast.Constant(True)) for at in range(len(node.ifs)))
    elif isinstance(node, ast.Constant) and inside and isinstance(node.value, (int, float)):
        yield _Edit(node, "value", _wrong(node.value))
    elif isinstance(node, ast.Name) and node.id in SWAPPED_NAMES:
        yield _Edit(node, "id", SWAPPED_NAMES[node.id])
    elif isinstance(node, ast.Attribute) and node.attr in SWAPPED_NAMES:
        yield _Edit(node, "attr", SWAPPED_NAMES[node.attr])
    for name, value in ast.iter_fields(node):
        yield from (_Edit(value, at, child.operand) for at, child in _turned(value if isinstance(value, list) else []))
        yield from (_Edit(node, name, child.operand) for _, child in _turned([value]))


def _turned(nodes: list[object]) -> Iterator[tuple[int, ast.UnaryOp]]:
    for at, node in enumerate(nodes):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)):
            yield at, node


def _wrong(value: float) -> float:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) or not value else value * 2


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    )
