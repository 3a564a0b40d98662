"""What pip is set up with on this machine, for a build to see too: `pip_settings.py FILE` writes it as one pip.conf.

Prints what a build must mount, one `source:target` a line: certificates, that file, and the folders that it names.
"""

import ast
import re
import subprocess
import sys
from pathlib import Path

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
KEPT = ("index-url", "extra-index-url", "find-links", "trusted-host")


def settings() -> dict[str, str]:
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^(?:global|:env:)\.([\w-]+)=(.*)$", listed, re.MULTILINE)
    return {key: ast.literal_eval(value) for key, value in found}


def main() -> None:
    path, found = Path(sys.argv[1]), settings()
    kept = {key: " ".join(found[key].split()) for key in KEPT if key in found}
    lines = ["[global]", f"cert = {CERTIFICATES}", *(f"{key} = {value}" for key, value in kept.items())]
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o644)
    if (certificates := Path(found.get("cert") or CERTIFICATES)).exists():
        print(f"{certificates.resolve()}:{CERTIFICATES}")
    print(f"{path.resolve()}:/etc/pip.conf")
    words = {word.removeprefix("file://").removesuffix("/simple") for value in kept.values() for word in value.split()}
    for word in sorted(words):
        if word.startswith("/") and Path(word).is_dir():
            print(f"{word}:{word}")


if __name__ == "__main__":
    main()
