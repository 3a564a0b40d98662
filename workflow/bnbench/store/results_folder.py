"""Where results are: which folder is meant, whether it can be written, and whether a job sees the one that was planned.

The process that plans leaves a mark in the folder. A job compares it with what it was told: one that runs in an image,
or on another machine, may find another folder under the same name, which nobody looks into. The mark also keeps
Snakemake from removing a folder that is still empty, as it does when a job fails: a group's would lose its rights.
"""

import contextlib
import os
import secrets
import shlex
import tempfile
from pathlib import Path

from bnbench.errors import UserError
from bnbench.store import files
from bnbench.vocabulary import IMAGE

VARIABLE = "BNBENCH_RESULTS"
"""The environment variable that names the folder. It is not in the config, so it is in no address and no report."""

DEFAULT = "results"

_MARK = ".bnbench"


def of_environment() -> Path:
    """The folder that `BNBENCH_RESULTS` names, or `results` in the working directory.

    Raises:
        UserError: it cannot be one.
    """
    return named(os.environ[VARIABLE], f"{VARIABLE}: ") if VARIABLE in os.environ else named(DEFAULT)


def named(text: str, source: str = "") -> Path:
    """The folder of this name, which may not exist yet.

    Args:
        text: the name.
        source: what begins a message, such as `--results: `.

    Raises:
        UserError: a shell or Snakemake would misread the name, or something else has it.
    """
    if not text.strip():
        raise UserError(f"{source}found nothing, allowed: a folder; if {VARIABLE} is not set, it is ./{DEFAULT}")
    if {*text} & {*"{}"}:
        raise UserError(f"{source}found {text}, allowed: a path without braces")
    if not text.isprintable():
        raise UserError(f"{source}found {text!a}, allowed: a path without control characters, in UTF-8")
    if text.startswith("~"):
        raise UserError(f"{source}found {text}, allowed: a path without ~, such as {_at_home(text)}")
    if text.startswith("-"):
        raise UserError(f"{source}found {text}, which reads like an option; allowed: a path, such as ./{text}")
    path = Path(text)
    for part in (path, *path.parents):
        _check_is_folder(part, source)
    return path


def _at_home(text: str) -> str:
    """What a path with `~` means, where the user is known."""
    with contextlib.suppress(RuntimeError):
        return str(Path(text).expanduser())
    return "/home/…"


def _check_is_folder(path: Path, source: str) -> None:
    """Raise if something is there that is no folder."""
    try:
        if path.is_symlink() and not path.exists():
            where = path.readlink()
            raise UserError(f"{source}{path} is a link to {where}, which does not exist; make it, or remove the link")
        if path.exists() and not path.is_dir():
            raise UserError(f"{source}{path} is not a folder; move it away, or name another folder by {VARIABLE}")
    except OSError as error:
        raise UserError(f"{source}{path}: cannot be read ({error.strerror})") from error


def check_writable(results: Path, *inside: Path) -> None:
    """See whether files can be made in a folder, and in others inside it, by making some and removing them.

    Raises:
        UserError: they cannot.
    """
    for folder in (results, *inside):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder, prefix=".try."):
                pass
        except OSError as error:
            raise UserError(
                f"{folder}: the results cannot be written ({error.strerror}); {_way_out(results)}"
            ) from error


def _way_out(results: Path) -> str:
    """What helps where a folder cannot be written or is another one."""
    if IMAGE.exists():
        folder = shlex.quote(str(results.absolute()))
        return (
            f"the image sees no folder of the host but the working directory and what is bound: --apptainer-args "
            f'"--bind {folder}", or -v {folder}:{folder} with podman and docker'
        )
    return f"allow it, or name another folder by {VARIABLE}"


def mark(results: Path) -> str:
    """What the mark in the folder says; nothing where there is none."""
    try:
        return (results / _MARK).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def keep_mark(results: Path) -> str:
    """The same, and leave a mark where there is none.

    Raises:
        UserError: it cannot be written.
    """
    if not mark(results):
        files.write_once(results / _MARK, secrets.token_hex(16) + "\n")
    return mark(results)


def check_mark(results: Path, expected: str) -> None:
    """See whether this is the folder that was planned for.

    Args:
        results: the folder.
        expected: its mark, as the planning process has seen it; nothing if it has seen none.

    Raises:
        UserError: it is another one.
    """
    if expected and mark(results) != expected:
        raise UserError(
            f"{results}: this is not the folder in which the run was planned, so nobody would find the results; "
            + (_way_out(results) if IMAGE.exists() else _ON_ANOTHER_MACHINE)
        )


_ON_ANOTHER_MACHINE = (
    f"this machine does not share it: name a folder that all nodes see by {VARIABLE} (docs/cluster.md)"
)
