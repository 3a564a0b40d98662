"""Add the system's packages to the list of what is in the image: `debian_packages.py SBOM`, a CycloneDX file in JSON.

With name, version and architecture, and the licences where Debian's file of them is there and can be read by a machine.
A system without dpkg is left out.
"""

import json
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

FIELDS = r"${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n"


def licences(name: str) -> list[str]:
    """Short names of the licences of a package, where its copyright file has the form that machines read."""
    path = Path("/usr/share/doc") / name / "copyright"
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    if not text.startswith("Format:"):
        return []
    return sorted({found.strip() for found in re.findall(r"^License:[ \t]*(\S.*)$", text, re.MULTILINE)})


def component(system: str, name: str, version: str, architecture: str) -> dict[str, Any]:
    """A package as CycloneDX has it."""
    address = f"pkg:deb/{system}/{quote(name)}@{quote(version, safe=':~')}?arch={architecture}"
    told = [{"license": {"name": each}} for each in licences(name)]
    about = {"type": "library", "bom-ref": address, "name": name, "version": version, "purl": address}
    return {**about, "licenses": told} if told else about


def packages() -> list[dict[str, Any]]:
    """All that are installed."""
    system = platform.freedesktop_os_release()["ID"]
    listed = subprocess.run(["dpkg-query", "--show", "-f", FIELDS], check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in listed.splitlines()]
    return [component(system, *row) for status, *row in rows if status == "installed"]


def main() -> None:
    """Write them into the file."""
    if not shutil.which("dpkg-query"):
        return
    path = Path(sys.argv[1])
    content = json.loads(path.read_text(encoding="utf-8"))
    content["components"] += packages()
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
