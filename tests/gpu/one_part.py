"""Runs one part in this process: `python one_part.py MODULE TITLE PAGE NOTES OPTIONS`. The driver starts it.

The exit status says how it went: `PASSED`, `FAILED` or `NOT_RUN`.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
from pathlib import Path

PASSED, FAILED, NOT_RUN = 0, 1, 3


def main(module: str, title: str, page: str, notes: str, text: str) -> int:
    """Run the part, and give the exit status."""
    given = json.loads(text)
    until = time.monotonic() + 0.85 * given["seconds"]
    try:
        from reporting import NotRunError, Options, Report

        report = Report(Path(page), Path(notes), title)
        part = importlib.import_module(module)
    except ModuleNotFoundError as error:
        print(f"no module {error.name}", file=sys.stderr)
        return NOT_RUN
    try:
        part.measure(Options(**{**given, "folder": Path(given["folder"]), "until": until}), report)
    except NotRunError as error:
        print(error, file=sys.stderr)
        return NOT_RUN
    except ModuleNotFoundError as error:
        print(f"no module {error.name}", file=sys.stderr)
        return NOT_RUN
    except Exception as error:
        traceback.print_exc()
        report.fail(f"{type(error).__name__}: {str(error).partition(chr(10))[0][:300]}")
    return FAILED if report.failures else PASSED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
