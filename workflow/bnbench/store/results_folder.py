"""Where results are: which folder is meant, whether it can be written, and whether a job sees the one that was planned.

The process that plans leaves a mark in the folder, and hands it to the jobs. A job in an image, or on another machine,
may find another folder under the same name, with another mark or none; nobody would look for results there. When a job
fails, Snakemake removes an empty folder, and a group's folder would lose its permissions; the mark prevents that too.
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
"""The environment variable that names the folder. It is not in the config, so no address or report depends on it."""

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
            raise UserError(f"{source}{path} is not a folder; move it away, or set {VARIABLE} to another folder")
    except OSError as error:
        raise UserError(f"{source}{path}: cannot be read ({error.strerror})") from error


def check_writable(results: Path, *inside: Path) -> None:
    """Make files in a folder, and in others inside it, and remove them, to see whether that can be done.

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
    """What to do if a folder cannot be written, or is not the one that was planned for."""
    if IMAGE.exists():
        folder = shlex.quote(str(results.absolute()))
        return (
            f"the image sees only the working directory of the host, and what you bind: --apptainer-args "
            f'"--bind {folder}", or -v {folder}:{folder} with podman and docker'
        )
    return f"allow it, or set {VARIABLE} to another folder"


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
        expected: the mark that the planning process saw; empty if there was none.

    Raises:
        UserError: it is another one.
    """
    if expected and mark(results) != expected:
        raise UserError(
            f"{results}: this is not the folder for which the run was planned, so nobody would find the results; "
            + (_way_out(results) if IMAGE.exists() else _ON_ANOTHER_MACHINE)
        )


_ON_ANOTHER_MACHINE = f"this machine does not share it: set {VARIABLE} to a folder that all nodes see (docs/cluster.md)"
