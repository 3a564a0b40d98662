"""Python files of users, read but never run: which files belong to one, what they hash to, what a function takes.

To a file belong the local modules that it imports, and what they import in turn: the files and the package folders
next to it that an import names. Modules that are installed do not belong to it, nor does what it opens as data.
"""

from __future__ import annotations

import ast
import hashlib
import sys
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, NamedTuple

from bnbench.catalogue import reading
from bnbench.errors import UserError, nearest

Sources = Mapping[str, bytes]
"""Files by their place relative to the folder of the user's file, such as `blocks/conv.py`, and their bytes."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What the parser raises; the last three of null bytes and of code that is nested too deeply."""


def sources(path: str) -> Sources:
    """A user's file and all that belongs to it.

    Raises:
        UserError: one of the files cannot be read.
    """
    folder = Path(path).parent
    found: dict[str, bytes] = {}
    waiting = [Path(path)]
    while waiting:
        file = waiting.pop()
        name = file.relative_to(folder)
        if name.as_posix() not in found:
            found[name.as_posix()] = content = reading.content(file, "Python file")
            waiting += [each for module in _imported(content, name.parent.parts) for each in _files(folder, module)]
    return found


def digest(files: Sources) -> str:
    """What files hash to: their places and their bytes, wherever their folder lies."""
    lines = [f"{name}\n{hashlib.sha256(files[name]).hexdigest()}\n" for name in sorted(files)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sha256(path: str) -> str:
    """What a user's file and all that belongs to it hash to.

    Raises:
        UserError: one of the files cannot be read.
    """
    return digest(sources(path))


def inspect(path: str, build: str, given: Collection[str], supplied: Collection[str]) -> dict[str, Any]:
    """What the planner must know of `build`, a function or class that a user's file defines.

    `given` are the parameters that the config sets, `supplied` are those that bnbench can pass. Where the file says
    nothing of the parameters (a name that is imported or assigned, a class that inherits its constructor), they are
    not checked.

    Returns:
        `sha256`, and `takes`: the names among `supplied` that `build` accepts, sorted.

    Raises:
        UserError: the file cannot be read or is not Python, lacks `build`, or `build` does not take what is given or
            needs more.
    """
    if Path(path).suffix != ".py":
        raise UserError(f"{path}: found a file ending in '{Path(path).suffix}'; your own code must be a .py file")
    files = sources(path)
    found = _signature(_parsed(path, files[Path(path).name]), path, build)
    if found:
        _check(found, f"{path}:{found.line}: {build}", given, supplied)
    takes = sorted(name for name in supplied if found is None or found.any_name or name in found.names)
    return {"sha256": digest(files), "takes": takes}


class _Signature(NamedTuple):
    """The parameters of a function or of a class."""

    line: int
    names: Sequence[str] = ()
    required: Sequence[str] = ()
    by_position: Sequence[str] = ()
    any_name: bool = False
    """Whether it takes names that it does not list."""


def _check(found: _Signature, where: str, given: Collection[str], supplied: Collection[str]) -> None:
    """Refuse parameters that cannot be passed as the config and bnbench mean to."""
    if found.by_position:
        raise UserError(
            f"{where} takes '{found.by_position[0]}' by its position only, allowed: parameters that are passed by "
            "name; take the '/' out"
        )
    unknown = [name for name in given if name not in found.names and not found.any_name]
    if unknown:
        allowed = [name for name in found.names if name not in supplied]
        hint = nearest(unknown[0], allowed)
        raise UserError(f"{where} has no parameter '{unknown[0]}'{hint}; allowed: {', '.join(allowed) or 'none'}")
    if missing := [name for name in found.required if name not in {*given, *supplied}]:
        raise UserError(
            f"{where} needs {', '.join(map(repr, missing))}; give a value in the config, or a default in the file"
        )


def _imported(content: bytes, package: Sequence[str]) -> set[str]:
    """First parts of the modules that a file in the folder `package` imports; none if it cannot be parsed."""
    try:
        tree = _tree(content, "")
    except _UNREADABLE:
        return set()
    return {name.partition(".")[0] for node in ast.walk(tree) for name in _named(node, package)}


def _named(node: ast.AST, package: Sequence[str]) -> Iterator[str]:
    """The modules that one statement names, seen from the folder of the user's file."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom) and node.level - 1 <= len(package):
        base = package[: len(package) - node.level + 1] if node.level else ()
        last = [node.module] if node.module else [alias.name for alias in node.names]
        yield from (".".join([*base, name]) for name in last)


def _files(folder: Path, module: str) -> list[Path]:
    """The files of a module that lies in `folder`; none if it does not."""
    file, package = folder / f"{module}.py", folder / module
    found = [file] if file.is_file() else []
    if (package / "__init__.py").is_file() or (package.is_dir() and not found and not _installed(module)):
        found += [each for each in package.rglob("*.py") if each.is_file() and _importable(each.relative_to(folder))]
    return found


def _importable(name: Path) -> bool:
    """Whether an import can name a file: copies that an editor keeps in a hidden folder change nothing."""
    return all(part.isidentifier() for part in name.with_suffix("").parts)


def _installed(module: str) -> bool:
    """Whether Python finds a module elsewhere, which it then prefers to a folder without `__init__.py`."""
    if module in sys.stdlib_module_names:
        return True
    spec = PathFinder.find_spec(module)
    return spec is not None and spec.origin is not None


def _tree(content: bytes, path: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python says them again when the file is run
        return ast.parse(content, path)


def _parsed(path: str, content: bytes) -> ast.Module:
    """The file's syntax tree, if Python could compile it."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a text file in UTF-8 ({error.reason} at byte {error.start})") from error
    try:
        tree = _tree(content, path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(tree, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        line = f":{error.lineno}" if error.lineno else ""
        raise UserError(f"{path}{line}: {type(error).__name__}: {error.msg}") from error
    except _UNREADABLE as error:
        raise UserError(f"{path}: cannot be parsed as Python ({type(error).__name__})") from error
    return tree


def _signature(tree: ast.Module, path: str, build: str) -> _Signature | None:
    """What `build` takes, as far as the file says it."""
    bound: dict[str, list[ast.AST]] = {}
    for name, node in _bindings(tree.body):
        bound.setdefault(name, []).append(node)
    if build not in bound:
        if "*" in bound:
            return None
        imports = (ast.Import, ast.ImportFrom)
        names = [n for n, nodes in bound.items() if not n.startswith("__") and not isinstance(nodes[0], imports)]
        raise UserError(
            f"{path}: no '{build}'{nearest(build, bound)}; the file defines {', '.join(names) or 'nothing'}"
        )
    return _takes(build, bound)


def _bindings(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """The names that a module binds, and the statement or the name that does it; `*` where an import hides them."""
    for node in nodes:
        if isinstance(node, _Function | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name.partition(".")[0], node) for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node
        elif not isinstance(node, ast.expr) or isinstance(node, ast.Tuple | ast.List | ast.Starred):
            yield from _bindings(ast.iter_child_nodes(node))


def _takes(name: str, bound: Mapping[str, Sequence[ast.AST]]) -> _Signature | None:
    """What a function or a class accepts; unknown for names that are bound twice or otherwise."""
    node = bound[name][0] if len(bound.get(name, ())) == 1 else None
    if isinstance(node, _Function):
        return _parameters(node)
    return _constructor(node, bound) if isinstance(node, ast.ClassDef) else None


def _constructor(node: ast.ClassDef, bound: Mapping[str, Sequence[ast.AST]]) -> _Signature | None:
    """What a class takes, which may inherit from one other class of its file."""
    members = dict(_bindings(node.body))
    own = members.get("__init__")
    if isinstance(own, _Function):
        return _parameters(own, skipped=1)
    if own or "__new__" in members or node.decorator_list or node.keywords:
        return None
    match [base.id if isinstance(base, ast.Name) else "" for base in node.bases]:
        case [] | ["object"]:
            return _Signature(node.lineno)
        case [base]:
            return _takes(base, {**bound, node.name: ()})  # so a ring of classes comes to an end
    return None


def _parameters(node: _Function, skipped: int = 0) -> _Signature:
    """The parameters of a function, less the first `skipped`: of a method, that is `self`."""
    args = node.args
    places = [*args.posonlyargs, *args.args][skipped:]
    named = {arg.arg: default is None for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)}
    needed = places[: len(places) - len(args.defaults)]
    return _Signature(
        line=node.lineno,
        names=[*(arg.arg for arg in places), *named],
        required=[*(arg.arg for arg in needed), *(name for name, is_needed in named.items() if is_needed)],
        by_position=[arg.arg for arg in args.posonlyargs[skipped:]],
        any_name=args.kwarg is not None,
    )
