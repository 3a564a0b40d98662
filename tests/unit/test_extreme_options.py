"""Every number that a report takes, at the ends of its range, reaches figures and a page: none fails after training."""

import json
import math

import constructed
import pytest
import synthetic
from constructed import Case

from bnbench import plot
from bnbench.plan import config
from bnbench.plan.mistakes import kinds
from bnbench.plan.study import Study

RULES = config.SCHEMA["properties"]["report"]["properties"]
NUMBERS = {key: rule for key, rule in RULES.items() if "number" in kinds(rule)}


def ends(rule):
    """The smallest and the largest value that a rule allows."""
    low = rule["minimum"] if "minimum" in rule else math.nextafter(rule["exclusiveMinimum"], math.inf)
    high = rule["maximum"] if "maximum" in rule else math.nextafter(rule["exclusiveMaximum"], -math.inf)
    return low, high


LOWEST, HIGHEST = ({key: ends(rule)[end] for key, rule in NUMBERS.items()} for end in (0, 1))
ABOVE_1 = math.nextafter(1, 2)  # as the margin of a ratio must be
PRINTED = [
    {"norm": "batch", "epoch": 39, "value": value}
    for value in ends(config.SCHEMA["properties"]["reference_points"]["items"]["properties"]["value"])
]


def of_gaps(options):
    """A study that is judged by a difference, of which every margin is one."""
    study = json.loads(synthetic.plan(batch_size=["full", 25], seeds=6).to_json())
    return Study(study | {"report": study["report"] | {"outcome": "generalization_gap"} | options})


def of_losses(options):
    """A study that is judged by a ratio."""
    return synthetic.plan(batch_size=["full", 25], seeds=6, report=options, reference_points=PRINTED)


CASES = {
    "a ratio, all lowest": Case(of_losses(LOWEST | {"margin": ABOVE_1}), {"noise": 0.2}),
    "a ratio, all highest": Case(of_losses(HIGHEST), {"noise": 0.2}),
    "a ratio, alpha lowest, else highest": Case(of_losses(HIGHEST | {"alpha": LOWEST["alpha"]}), {"noise": 0.2}),
    "a difference, all lowest": Case(of_gaps(LOWEST), {"noise": 0.05}, changed=constructed._gaps),
    "a difference, all highest": Case(of_gaps(HIGHEST), {"noise": 0.05}, changed=constructed._gaps),
}


def test_every_number_of_a_report_has_two_ends():
    assert {*NUMBERS} == {"window", "margin", "alpha", "target"}
    assert all(map(math.isfinite, [*LOWEST.values(), *HIGHEST.values()]))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_report_is_rendered_whatever_it_is_asked_for(case, tmp_path):
    page = constructed.page(case, tmp_path)
    plot.run(case.study, tmp_path)
    assert "nan" not in page.landing
