"""The user's code: entries of the config that call a function or a class in a Python file.

`{name: module, path: nets.py, build: my_net, depth: 8}` calls `my_net` with `depth=8` and with what bnbench hands over
(`supplied`). The bytes of the file are part of every address. No torch here, and nothing of the file runs here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bnbench.catalogue import userfiles
from bnbench.catalogue.parameters import parameter
from bnbench.errors import UserError

NAME = "module"
"""The name of every such entry in the config."""


@dataclass(frozen=True)
class OwnCode:
    """What all entries that call the user's code have in common."""

    is_open: ClassVar[bool] = True
    derived: ClassVar[tuple[str, ...]] = ("sha256", "takes", "options")
    unaddressed: ClassVar[tuple[str, ...]] = ("path",)
    supplied: ClassVar[tuple[str, ...]] = ()
    """The arguments that bnbench passes if the function accepts them."""

    path: str = parameter(..., "the Python file, beside the config or in the folder where the run starts", minLength=1)
    build: str = parameter(..., "the name of the function or class in it", minLength=1)
    sha256: str = parameter("", "filled in by the planner: hash of the file and of the local modules that it imports")
    takes: tuple[str, ...] = parameter((), "filled in by the planner: which of bnbench's arguments it accepts")
    options: Mapping[str, Any] = field(kw_only=True, default_factory=dict)
    """Its further parameters in the config."""


def completed(kind: type[OwnCode], entry: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    """What the planner adds to an entry: the file's hash, and the arguments that the function accepts.

    Args:
        kind: the entry's class.
        entry: as the user has it, with `path` as seen from where the run starts.
        declared: the parameters that the class has of its own.

    Raises:
        UserError: the file cannot be read, has no such function, or the function does not take the parameters.
    """
    given = [name for name in entry if name not in ("name", *declared)]
    if taken := [name for name in given if name in (*kind.derived, *kind.supplied)]:
        raise UserError(f"found the parameter '{taken[0]}', allowed: other names, since bnbench fills in this one")
    return userfiles.inspect(entry["path"], entry["build"], given, kind.supplied)
