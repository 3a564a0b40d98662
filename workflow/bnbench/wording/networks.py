"""What a study trains, in words: its networks, and what a loss of one's own is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

from bnbench.catalogue import networks, own
from bnbench.plan.levels import short
from bnbench.plan.study import Study
from bnbench.wording import formats

Entry = Mapping[str, Any]
"""A resolved entry of the config."""


def trained(study: Study) -> str:
    """All networks of a study.

    Such as `Fully connected networks (hidden layers 64–64, relu)`, or `Networks built by my_net of nets.py`.
    """
    kinds: dict[str, list[str]] = {}
    for level in study.levels["network"].values():
        kind, details = _described(study, level.entry)
        kinds.setdefault(kind, []).extend([", ".join(details)] if details else [])
    said = [f"{kind} ({'; '.join(details)})" if details else kind for kind, details in kinds.items()]
    return _capitalized(formats.listed(said))


def draws(study: Study) -> list[str]:
    """What networks draw at random while they train: `the dropout masks`."""
    entries = [level.entry for level in study.levels["network"].values()]
    built_in, others = ([each for each in entries if (each["name"] == own.NAME) == is_own] for is_own in (False, True))
    masks = ["the dropout masks"] if any(entry["dropout"] for entry in built_in) else []
    return masks + [f"whatever {name} draws in training" for name in dict.fromkeys(each["build"] for each in others)]


def read_keys(study: Study) -> set[str]:
    """Which keys of the config its networks read, of those that not every network does."""
    entries = [level.entry for level in study.levels["network"].values()]
    read = {key for entry in entries for key in networks.NETWORKS[entry["name"]].keys if entry[key] is None}
    return read | ({"init"} if any(entry["name"] == networks.DEFAULT["name"] for entry in entries) else set())


def own_loss(study: Study) -> str:
    """The user's own loss, if the study has one: `huber of losses.py (delta=0.5)`; else empty."""
    entry = study.config["loss"]
    if entry["name"] != own.NAME:
        return ""
    options = ", ".join(_options(entry))
    return f"{_called(entry)}{f' ({options})' if options else ''}"


def _described(study: Study, entry: Entry) -> tuple[str, list[str]]:
    """What kind of networks an entry gives, and what else there is to say of it."""
    if entry["name"] == own.NAME:
        return f"networks built by {_called(entry)}", _options(entry)
    kind, details = _BUILT_IN[entry["name"]]
    activation = [entry["activation"]] if entry["activation"] else _level(study, "activation")
    dropout = [f"dropout {short(entry['dropout'])}"] if entry["dropout"] else []
    return kind, [*details(study, entry), *activation, *dropout]


def _perceptron(study: Study, entry: Entry) -> list[str]:
    if entry["hidden"]:
        return [f"hidden layers {_widths(entry['hidden'])}"]
    return [f"hidden layers {each.replace('-', '–')}" for each in _level(study, "hidden")]


def _convolutional(_: Study, entry: Entry) -> list[str]:
    return [f"channels {_widths(entry['channels'])}", f"filters of {entry['kernel']} × {entry['kernel']}"]


def _residual(_: Study, entry: Entry) -> list[str]:
    return [f"depth {entry['depth']}", f"width {entry['width']}"]


_BUILT_IN: dict[str, tuple[str, Callable[[Study, Entry], list[str]]]] = {
    "mlp": ("fully connected networks", _perceptron),
    "cnn": ("convolutional networks", _convolutional),
    "resnet": ("residual networks", _residual),
}
"""Name of a network → what several of them are called, and what tells them apart."""


def _level(study: Study, key: str) -> list[str]:
    """All levels of a key in one text; nothing where they are what is compared, and are named as the arms."""
    return [] if key == study.report.factor else [formats.listed([*study.levels[key]])]


def _widths(widths: list[int]) -> str:
    return "–".join(map(str, widths))


def _called(entry: Entry) -> str:
    """The user's function, and its file without the folder."""
    return f"{entry['build']} of {PurePath(entry['path']).name}"


def _options(entry: Entry) -> list[str]:
    """The parameters that the user's function is called with."""
    known = ("name", "path", "build", *own.OwnCode.derived)
    return [f"{name}={short(value)}" for name, value in entry.items() if name not in known]


def _capitalized(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
