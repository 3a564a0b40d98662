"""What was measured of a network is kept, and who cannot read it does without."""

from pathlib import Path

import pytest

from bnbench.plan import config
from bnbench.plan.modular_cost import Probe
from bnbench.store import probes

PROBE = Probe(step=0.25, evaluation=1.5, mebibytes=300.0)


def test_a_probe_comes_back(tmp_path):
    assert not probes.is_there("a", tmp_path)
    assert probes.read("a", tmp_path) is None
    probes.write("a", tmp_path, PROBE)
    assert probes.is_there("a", tmp_path)
    assert probes.read("a", tmp_path) == PROBE
    assert not probes.is_there("b", tmp_path)


def test_a_network_that_was_tried_and_not_measured_is_there_without_a_probe(tmp_path):
    probes.write("a", tmp_path, None)
    assert probes.is_there("a", tmp_path)
    assert probes.read("a", tmp_path) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '{"step": 1}',
        *(f'{{"step": {step}, "evaluation": 1, "mebibytes": 1}}' for step in ('"x"', "NaN", "Infinity", "-1")),
    ],
)
def test_a_file_that_is_no_probe_is_as_good_as_none(tmp_path, text):
    probes.write("a", tmp_path, PROBE)
    probes.path("a", tmp_path).write_text(text)
    assert probes.read("a", tmp_path) is None


def test_a_metric_that_is_compared_by_its_ratio_is_tried_again_for_that(tmp_path):
    file = Path(__file__).parents[1] / "own" / "scores.py"
    metric = {"name": "module", "path": str(file), "build": "my_score"}
    by_ratio = {**metric, "scale": "ratio"}
    plain, judged = (config.load({"study": "s", "metrics": [each]}, "s").settings[0] for each in (metric, by_ratio))
    assert plain.address == judged.address
    probes.write(plain.address, tmp_path, None, probes.ratios(plain))
    assert (probes.due([plain], tmp_path), probes.due([judged], tmp_path)) == ([], [judged])
    probes.write(judged.address, tmp_path, None, probes.ratios(judged))
    assert probes.due([plain, judged], tmp_path) == []
