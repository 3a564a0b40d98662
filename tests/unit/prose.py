"""Texts as people read them, in one file for each module of tests; `make snapshots` writes what is said today."""

import re

import pytest
from syrupy.extensions.amber import AmberDataSerializer, AmberSnapshotExtension


class _Plain(AmberDataSerializer):
    """Without quotation marks and a sentence a line, so that a change reads as an editor's."""

    VERSION = "plain text"

    @classmethod
    def serialize(cls, data, **_):
        return data if "\n" in data else re.sub(r"(?<=\.) (?=[A-Z])", "\n", data)


class Prose(AmberSnapshotExtension):
    """`__snapshots__/<module>.txt`, beside the module."""

    file_extension = "txt"
    serializer_class = _Plain


def cases(**of):
    """Parameters of a test by the names of its cases, which head the texts in the snapshots."""
    return pytest.mark.parametrize("case", of.values(), ids=[name.replace("_", " ") for name in of])


def assert_states(said, facts):
    """Every fact is in the text, in this order."""
    place = 0
    for fact in facts:
        assert fact in said[place:], f"{fact!r} in {said!r}"
        place = said.index(fact, place) + len(fact)
