"""The page says what the losses are on an absolute scale, and whether they still fall, where its reader looks first."""

import json
import re
from html import unescape

import pytest
import synthetic

from bnbench.store import report_tables


def text_of(html):
    shown = re.sub(r"<(style|script)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Folder and page of a study of four contexts with standardized targets."""
    folder = tmp_path_factory.mktemp("absolute")
    study = synthetic.plan(**synthetic.GRID)
    options = {"ratio": synthetic.arms(batch=520.0), "noise": 0.2, "loss": 1e-5, "target_scale": 77.0}
    return folder, synthetic.rendered(folder, study, **options)


def test_each_context_has_its_sentence_on_the_page_once_with_its_levels_to_filter_by(written):
    folder, page = written
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    items = {text_of(said): held for held, said in re.findall(r"<li( data-[^>]*)>(.*?)</li>", page, re.DOTALL)}
    assert len(verdicts["absolute"]) == len(verdicts["sentences"]) == 4
    for sentence in verdicts["sentences"]:
        assert 'data-batch-size="' in items[sentence]
        assert 'data-optimizer="' in items[sentence]
        assert text_of(re.sub(r"<figure.*?</figure>", " ", page, flags=re.DOTALL)).count(sentence) == 1


def test_the_answer_is_followed_by_its_absolute_scale_and_by_what_still_falls(written):
    folder, page = written
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    said = text_of(page[page.index("<h1") : page.index("<section")])
    assert verdicts["absolute_answer"].startswith("In absolute terms, over 4 contexts: no BN leaves 0.00")
    assert said.startswith(verdicts["headline"])
    assert verdicts["absolute_answer"] in said
    assert verdicts["still_changing"] in said


def test_the_table_beside_the_verdicts_shows_every_number_of_both_arms(written):
    folder, page = written
    shown = page[page.index('<h3 id="absolute">On an absolute scale</h3>') :]
    shown = shown[: shown.index("</table>")]
    heads = [text_of(head) for head in re.findall(r"<th scope=\"col\">(.*?)</th>", shown)]
    numbers = ("Unexplained variance", "R²", "RMS error")
    assert heads == ["Context", *(f"{name}, {arm}" for name in numbers for arm in ("no BN", "BN"))]
    rows = report_tables.read(folder, "absolute").to_dict("records")
    lines = re.findall(r"<tr data.*?</tr>", shown, re.DOTALL)
    assert len(lines) == len(rows) == 4
    for line, row in zip(lines, rows, strict=True):
        values = [float(value) for value in re.findall(r'data-value="([^"]+)"', line)]
        left, error = ([row[f"{arm}_{of}"] for arm in ("baseline", "treatment")] for of in ("left", "error"))
        assert values == pytest.approx([*left, *(1 - share for share in left), *error])
    assert "standardized targets" in text_of(shown)


def test_the_section_on_the_epochs_says_whether_the_losses_still_fall_and_how_that_is_told(written):
    folder, page = written
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    section = text_of(page[page.index('<h2 id="budget">') : page.index('<h2 id="seeds">')])
    assert verdicts["convergence"] in section
    assert "8 settings together" in section


def test_a_page_of_classes_shows_accuracies_alone(tmp_path):
    study = synthetic.plan(task=["digits"])
    frames = synthetic.frames(study, noise=0.2)
    curves = frames["curves"]
    of_arm = curves["norm"].map({"none": 0.972, "batch": 0.951})
    curves["test_accuracy"] = of_arm.where(curves["test_loss"].notna())
    _, verdicts = synthetic.compared(tmp_path, study, frames)
    assert verdicts["absolute"] == [
        "In absolute terms: no BN classifies 97.2 % of the test points correctly, BN 95.1 %."
    ]
