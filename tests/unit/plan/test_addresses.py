"""Addresses outlive versions: those of the first release are those of today's code."""

import pytest
import yaml
from golden_addresses import FILE, addresses, settings

from bnbench.catalogue import sources
from bnbench.catalogue.guarded import is_guarded

GOLDEN = yaml.safe_load(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: ",".join(golden["config"]) or "default")
def test_an_address_stays_what_it_has_always_been(golden):
    assert addresses(golden["config"]) == golden["addresses"]


def test_every_guarded_entry_has_addresses_here():
    found = (setting for golden in GOLDEN for setting in settings(golden["config"]))
    there = {called for setting in found for called in sources.names(setting.spec).items()}
    names = {(kind, name) for kind, registry in sources.KINDS.items() for name in registry}
    assert {(kind, name) for kind, name in names if is_guarded(sources.KINDS[kind][name])} == there
