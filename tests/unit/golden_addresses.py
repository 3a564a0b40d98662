"""The addresses that settings have always had: golden_addresses.yaml holds configs and their settings' addresses.

They do not change: trials under an address that moved are never found again. After a config has been added there,
`PYTHONPATH=workflow python tests/unit/golden_addresses.py` writes its addresses.
"""

from pathlib import Path

import yaml

from bnbench.plan import config

FILE = Path(__file__).parent / "golden_addresses.yaml"


def settings(snippet):
    """The settings of a study with the keys in `snippet`; the files that it names lie beside this module."""
    return config.load({"study": "golden", **_located(snippet)}, "golden").settings


def _located(value):
    if isinstance(value, dict):
        return {key: str(FILE.parent / item) if key == "path" else _located(item) for key, item in value.items()}
    return [_located(item) for item in value] if isinstance(value, list) else value


def addresses(snippet):
    """Their addresses."""
    return [setting.address for setting in settings(snippet)]


def main():
    """Write the addresses of the configs in the file."""
    golden = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    made = [{"config": each["config"], "addresses": addresses(each["config"])} for each in golden]
    FILE.write_text(yaml.safe_dump(made, sort_keys=False, width=120, allow_unicode=True), encoding="utf-8")


if __name__ == "__main__":
    main()
