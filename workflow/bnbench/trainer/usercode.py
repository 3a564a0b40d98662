"""The user's code: load it, and report an error in it with its file and line."""

from __future__ import annotations

import contextlib
import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch

from bnbench.catalogue import userfiles
from bnbench.catalogue.own import OwnCode
from bnbench.errors import UserError
from bnbench.streams import FIXED
from bnbench.trainer import draws, usermodules

_LONGEST = 300
"""Characters of a message or of a source line that are shown."""

_modules: dict[tuple[Path, str], ModuleType] = {}


def load(path: str, build: str, sha256: str) -> Callable[..., Any]:
    """What a user's file calls `build`: the file is run when it is first asked for, and then kept.

    A file that changes later does not matter: what was planned is what was loaded.

    Raises:
        UserError: the file cannot be read, is not the one that the study was planned with, raises an error, or has
            nothing of that name that can be called.
    """
    key = (Path(path).parent.resolve() / Path(path).name, sha256)
    if key not in _modules:
        sources = userfiles.sources(path)
        if userfiles.digest(sources) != sha256:
            raise UserError(f"{path}: the file changed since the study was planned; start the same command again")
        with told(path, "imports it"), draws.apart(FIXED, "init.files"):  # not by what was drawn before
            _modules[key] = usermodules.load(path, sources)
    with told(path, f"looks for '{build}' in it"):
        found: Callable[..., Any] | None = getattr(_modules[key], build, None)
    if found is None:
        raise UserError(f"{path}: no '{build}' once the file has run; define it outside of any condition")
    if not callable(found):
        raise UserError(
            f"{path}: '{build}' cannot be called (found {type(found).__name__}), allowed: a function or class"
        )
    return found


def call(code: OwnCode, doing: str, **supplied: Any) -> Any:
    """What a user's function gives, called with what it takes of `supplied` and with its options in the config.

    Raises:
        UserError: the file cannot be loaded, or the function raises an error.
    """
    function = load(code.path, code.build, code.sha256)
    with told(code.path, doing):
        return function(**{name: supplied[name] for name in code.takes}, **options(code))


def options(code: OwnCode) -> dict[str, Any]:
    """The options that the config gives a user's function, with lists as lists."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in code.options.items()}


@contextlib.contextmanager
def told(path: str, doing: str) -> Iterator[None]:
    """Turn an error that a user's code raises within into one message; `doing` says what bnbench does, "builds it".

    What bnbench itself refuses of the user's code, such as norm('four'), is reported with the user's line too. A
    `UserError` that the user raises and a keyboard interrupt pass as they are, and so does a lack of a device's memory,
    of which fewer seeds need less. The working directory is the same afterwards, since bnbench's own paths are relative
    to it.

    Raises:
        UserError: the user's code raised an error, whichever, or left the program.
    """
    with contextlib.chdir("."):
        try:
            yield
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            if _lacks_memory(error) or (isinstance(error, UserError) and not _refuses_a_call(error)):
                raise
            message = _message(error, path, doing)
            for each in _chain(error):
                traceback.clear_frames(each.__traceback__)  # they may hold tensors for as long as the error lives
            raise _ToldError(message) from None


class _ToldError(UserError):
    """An error that says where in the user's code it occurred."""


class _Place(NamedTuple):
    """A line of a user's code."""

    file: usermodules.File
    line: int
    function: str = ""
    """Name of the function that it is in, if any."""


def _message(error: BaseException, path: str, doing: str) -> str:
    """Where and why it failed, the line of code, and what bnbench was doing."""
    places = _places(error)
    if not places:
        return f"{path}: {_said(error)}\nwhile bnbench {doing}"
    last, *callers = places
    function = f"in {last.function}: " if last.function else ""
    lines = [f"{last.file.name}:{last.line}: {function}{_said(error)}"]
    if code := last.file.line(last.line):
        lines.append(f"    {_shortened(code)}")
    return "\n".join([*lines, f"while bnbench {doing}{_called_from(callers)}"])


def _called_from(callers: Sequence[_Place]) -> str:
    if not callers:
        return ""
    function = f" in {callers[0].function}" if callers[0].function else ""
    return f", called from {callers[0].file.name}:{callers[0].line}{function}"


def _places(error: BaseException) -> list[_Place]:
    """The user's lines that an error came through, the last one first."""
    places = []
    if isinstance(error, SyntaxError) and (file := usermodules.file(error.filename or "")):
        places.append(_Place(file, error.lineno or 1))
    for frame, line in reversed([*traceback.walk_tb(error.__traceback__)]):
        if file := usermodules.file(frame.f_code.co_filename):
            name = frame.f_code.co_name
            places.append(_Place(file, line, "" if name == "<module>" else name))
    return places


def _refuses_a_call(error: UserError) -> bool:
    """Whether bnbench raised it when the user's code called it, and its place has not been reported."""
    *_, (frame, _line) = traceback.walk_tb(error.__traceback__)
    raised_by_user = usermodules.file(frame.f_code.co_filename) is not None
    return not raised_by_user and not isinstance(error, _ToldError) and bool(_places(error))


def _said(error: BaseException) -> str:
    """The kind of an error, unless it is ours, and the first line of what it says; modules as the user calls them."""
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:  # the user's code may say badly, too
        text = ""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    first = re.sub(f"{usermodules.PREFIX}[0-9a-f]+", ".", re.sub(f"{usermodules.PREFIX}[0-9a-f]+\\.", "", first))
    kind = [] if isinstance(error, UserError) else [type(error).__name__]
    return ": ".join([*kind, *([_shortened(first)] if first else [])])


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _lacks_memory(error: BaseException) -> bool:
    """Whether `error` says so of a device, or is what torch raised while it handled one that did."""
    return isinstance(error, RuntimeError) and any(isinstance(each, torch.OutOfMemoryError) for each in _chain(error))


def _chain(error: BaseException) -> list[BaseException]:
    """An error, and all that it was raised from or beside."""
    chain: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and all(each is not other for other in chain):
            chain.append(each)
            waiting += [each.__cause__, each.__context__]
            waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else []
    return chain
