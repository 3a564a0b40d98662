"""Modules made of users' files: what runs are the bytes that were hashed, and no module hides another.

The files of one folder share a `Space`, a package with its own name. Where they import one another, `import layers`
is read as an import from that package. So two folders may each have a `layers`, one may have a `random`, and imports
that run late find what early ones do. Nothing is written next to the files.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
from collections.abc import Iterator
from importlib.abc import ExecutionLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import decode_source, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from bnbench.catalogue import userfiles
from bnbench.catalogue.userfiles import Sources

PREFIX = "bnbench_user_"
"""How the names of spaces begin."""


class File(NamedTuple):
    """A file of a user's code that was loaded."""

    name: str
    """As messages have it: beside the path that the config names."""
    content: bytes

    def line(self, number: int) -> str:
        """A line of it without its indentation, or nothing if there is no such line."""
        lines = self.content.decode(errors="replace").splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""


_spaces: list[Space] = []
_files: dict[str, File] = {}


def load(path: str, sources: Sources) -> ModuleType:
    """The module of a user's file, run once; `sources` are the file and all that belongs to it.

    Raises:
        BaseException: whatever the file raises when it runs.
    """
    main, folder = Path(path).name, Path(path).parent.resolve()
    space = next((each for each in _spaces if each.folder == folder and each.holds(main, sources)), None)
    if space is None:
        key = f"{folder}\n{userfiles.digest(sources)}"
        space = Space(folder, PREFIX + hashlib.sha256(key.encode()).hexdigest()[:12])
        _spaces.append(space)
        sys.meta_path.insert(0, space)
    space.add(main, sources)
    for name, content in sources.items():
        _files[str(folder / name)] = File(str(Path(path).parent / name), content)
    return importlib.import_module(f"{space.name}.{_module(main)}")


def file(filename: str) -> File | None:
    """The file of a user's code that a frame or an error names, if it is one."""
    return _files.get(filename)


class Space(MetaPathFinder, ExecutionLoader):
    """The package that the files of one folder make up; it finds and loads its modules itself."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self._sources: dict[str, bytes] = {}
        self._modules: dict[str, str] = {}
        self._loaded: dict[str, Sources] = {}

    def holds(self, main: str, sources: Sources) -> bool:
        """Whether a file and what belongs to it are the same as those that were loaded here."""
        same = all(self._sources.get(name, content) == content for name, content in sources.items())
        return same and self._loaded.get(main, sources) == sources

    def add(self, main: str, sources: Sources) -> None:
        """Have these files as modules; a package goes before a file of its name, and the user's file before all."""
        self._loaded[main] = sources
        self._sources.update(sources)
        for name in sorted(sources, key=lambda name: (name == main, name.endswith("/__init__.py"))):
            self._modules[f"{self.name}.{_module(name)}"] = name

    def find_spec(self, fullname: str, *_: Any) -> ModuleSpec | None:
        """The module of a file; a folder without `__init__.py`, as the space itself, is a package without code."""
        if fullname in self._modules:
            return spec_from_file_location(fullname, self.get_filename(fullname), loader=self)
        if any(module.startswith(f"{fullname}.") for module in self._modules):
            return ModuleSpec(fullname, None, is_package=True)
        return None

    def is_package(self, fullname: str) -> bool:
        """Whether other modules may lie in a module."""
        return self._modules[fullname].endswith("/__init__.py")

    def get_filename(self, fullname: str) -> str:
        """Where the file of a module lies."""
        return str(self.folder / self._modules[fullname])

    def get_source(self, fullname: str) -> str:
        """The text of a module, as it was hashed."""
        return decode_source(self._sources[self._modules[fullname]])

    def get_code(self, fullname: str) -> CodeType:
        """The code of a module, with its imports of local modules turned to the space."""
        filename = self.get_filename(fullname)
        tree = ast.parse(self._sources[self._modules[fullname]], filename)
        for node in [*ast.walk(tree)]:
            for block in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
                if isinstance(block, list):
                    block[:] = [new for statement in block for new in self._turned(statement)]
        return compile(tree, filename, "exec", dont_inherit=True)

    def _turned(self, statement: ast.stmt) -> Iterator[ast.stmt]:
        if isinstance(statement, ast.Import):
            yield from (ast.copy_location(new, statement) for alias in statement.names for new in self._named(alias))
            return
        if isinstance(statement, ast.ImportFrom) and not statement.level and self._is_local(statement.module):
            statement.module = f"{self.name}.{statement.module}"
        yield statement

    def _named(self, alias: ast.alias) -> Iterator[ast.stmt]:
        """Without `as`, `import a.b` gives the name `a` to the package `a`."""
        if not self._is_local(alias.name):
            yield ast.Import([alias])
            return
        top = alias.name.partition(".")[0]
        turned = ast.alias(f"{self.name}.{alias.name}", alias.asname or top)
        yield ast.Import([ast.copy_location(turned, alias)])
        if not alias.asname:
            yield ast.ImportFrom(self.name, [ast.copy_location(ast.alias(top), alias)], 0)

    def _is_local(self, module: str | None) -> bool:
        top = f"{self.name}.{(module or '').partition('.')[0]}"
        return any(name == top or name.startswith(f"{top}.") for name in self._modules)


def _module(name: str) -> str:
    """The module of a file, within its space."""
    if "/" not in name:  # a dot in the name of a user's file is no border of packages; no other name has a slash
        return name.removesuffix(".py").replace(".", "/")
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
