"""The source code of classes as part of a setting: after a change to a class, its trials are trained again.

Only classes that the golden losses do not guard have a hash here. It covers the class and the unguarded ones that it
inherits from, comments and all; not other functions and classes that it calls.
"""

from __future__ import annotations

import hashlib
import inspect
from abc import ABC
from collections import ChainMap
from collections.abc import Iterable, Mapping
from typing import Any

from bnbench.catalogue import networks, tasks
from bnbench.catalogue.activations import ACTIVATIONS
from bnbench.catalogue.guarded import is_guarded
from bnbench.catalogue.losses import CHOICES, LOSSES
from bnbench.catalogue.parameters import Registry
from bnbench.catalogue.registries import REGISTRIES
from bnbench.errors import UserError

Sources = dict[str, dict[str, str]]
"""Kind → name → hash of the source."""

KINDS: dict[str, Registry] = {**REGISTRIES, "activation": ACTIVATIONS, "loss": ChainMap({}, LOSSES, CHOICES)}
"""Kind → registry, of all that a setting calls by name."""


def names(spec: Mapping[str, Any]) -> dict[str, str]:
    """What a setting calls by name: kind → name; the loss is the one that its task asks for, unless it has its own."""
    network = networks.of(spec)
    chosen = {kind: spec[kind]["name"] for kind in REGISTRIES if kind in spec}
    if "activation" in network.keys:
        chosen["activation"] = network.activation
    return {**chosen, "loss": tasks.loss_of(spec)}


def here(called: Iterable[tuple[str, str]]) -> Sources:
    """The hashes of all unguarded classes among these (kind, name), as the code is now.

    Raises:
        UserError: the source of one cannot be read.
    """
    found: Sources = {}
    for kind, name in called:
        if digest := _digest(KINDS[kind][name]):
            found.setdefault(kind, {})[name] = digest
    return found


def check(spec: Mapping[str, Any]) -> None:
    """Refuse a setting that was planned with other classes than those that are here.

    Raises:
        UserError: there is such a class.
    """
    planned = spec.get("sources", {})
    for kind, name in names(spec).items():
        if here([(kind, name)]).get(kind, {}) != planned.get(kind, {}):
            raise UserError(
                f"the class of {kind} '{name}' changed since the study was planned; start the same command again, and "
                "where jobs run in an image, build it again first"
            )


def _digest(entry: type) -> str:
    """Sixteen hex digits over the source of an unguarded class; nothing for a guarded one."""
    if is_guarded(entry):
        return ""
    unguarded = [base for base in entry.__mro__ if base not in (ABC, object) and not is_guarded(base)]
    return hashlib.sha256("\n".join(map(_source, unguarded)).encode()).hexdigest()[:16]


def _source(entry: type) -> str:
    try:
        return inspect.getsource(entry)
    except (OSError, TypeError) as error:
        raise UserError(
            f"class {entry.__name__}: its source cannot be read ({error}); allowed: classes that are defined in a file"
        ) from error
