"""A page says of no network what holds of perceptrons alone."""

import re
from html import unescape

import pytest
import synthetic

WORDS = r"\b(?:hidden|linear|perceptrons?|neurons?|units?|[Ff]ully connected|initialization)\b"
OF_THE_TARGET = r"own units"
NETS = "def my_net(norm, inputs, outputs): ...\n\n\ndef my_loss(output, target): ...\n"


def own(build):
    return {"name": "module", "path": "nets.py", "build": build}


STUDIES = {
    "a residual network": {"network": "resnet"},
    "a convolutional network with dropout": {"network": {"name": "cnn", "dropout": 0.5}, "batch_size": [16, 32]},
    "networks that are compared": {
        "network": ["cnn", "resnet"],
        "norm": "batch",
        "report": {"factor": "network", "baseline": "cnn"},
    },
    "a network and a loss of one's own": {
        "network": own("my_net"),
        "loss": own("my_loss"),
        "batch_size": 16,
        "accumulate": [1, 2],
    },
}


@pytest.fixture
def page(write, tmp_path):
    """What a reader of a study's page is told, outside what unfolds, and a screen reader too."""
    write(NETS, "nets.py")

    def of(changes):
        html = synthetic.rendered(tmp_path / "report", synthetic.plan(task="digits", **changes), noise=0.2)
        folded = r"<details.*?</details>|<script\b.*?</script>|<style>.*?</style>|data:[^\"]*"
        shown = re.sub(folded, " ", html, flags=re.DOTALL)
        alternatives = " ".join(re.findall(r'(?:alt|aria-label)="([^"]*)"', shown))
        return " ".join(unescape(f"{re.sub(r'<[^>]+>', ' ', shown)} {alternatives}").split())

    return of


@pytest.mark.parametrize("name", STUDIES)
def test_nothing_is_said_that_holds_of_perceptrons_alone(page, name):
    assert re.findall(WORDS, re.sub(OF_THE_TARGET, "", page(STUDIES[name]))) == []


def test_of_a_perceptron_such_words_are_said(page):
    assert {*re.findall(WORDS, page({}))} >= {"hidden", "Fully connected", "initialization"}


def test_the_contexts_of_accumulated_batches_have_names(page):
    said = page(STUDIES["a network and a loss of one's own"])
    assert "With no accumulation, nothing is decided" in said
    assert "With 2 batches accumulated, nothing is decided" in said
    assert "loss my_loss of nets.py" in said
