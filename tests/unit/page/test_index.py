"""The index of all studies: what it lists, in which order, what it leaves out, and what it must never overwrite."""

import json
import os
import re
import threading
from html import unescape

import numpy as np
import pandas as pd
import pytest
import stores
import synthetic

import bnbench
from bnbench import cli
from bnbench.errors import UserError
from bnbench.page import index_page
from bnbench.store import files, studies

HOSTILE = "<script>alert('1')</script> & \"co\""


def judged(reports, name, at=None, **changes):
    """A study's folder with an answer and a page, whose newest data is of the time `at`."""
    verdicts = {"study": name, "arms": ["none", "batch"], "seeds": 20, "sentence": f"{name} says.", **changes}
    folder = reports / name
    (folder / "data").mkdir(parents=True)
    lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in {**verdicts, "tables": {}}.items())
    (folder / "verdicts.json").write_text(f"{{\n{lines}\n}}\n")
    (folder / "index.html").write_text("<!doctype html>")
    if at:
        (folder / "data" / studies.NEWEST).write_text(json.dumps({"newest": at}))
    return folder


def rows(reports):
    """The cells of each row as a reader has them, and the addresses of all links."""
    page = (reports / "index.html").read_text(encoding="utf-8")
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    lines = [re.findall(r"<(?:th|td)\b[^>]*>(.*?)</(?:th|td)>", row, re.DOTALL) for row in body.split("</tr>")[:-1]]
    shown = [[" ".join(unescape(re.sub(r"<[^>]+>", "", cell)).split()) for cell in line] for line in lines]
    return shown, re.findall(r'<a href="([^"]*)"', body)


def test_a_row_a_study_with_its_question_answer_and_date_the_newest_data_first(tmp_path):
    judged(tmp_path, "older", "2026-01-02T03:04:05+00:00")
    judged(tmp_path, "newer", "2026-03-04T01:30:00+02:00", context="BN against none: a net", headline="BN hurts.")
    judged(tmp_path, "b", "2026-01-02T03:04:05+00:00", arms=["none", "batch", "layer"], seeds=1)
    assert index_page.run(tmp_path) == f"{tmp_path}/index.html\n3 studies"
    assert rows(tmp_path) == (
        [
            ["newer", "BN against none: a net", "BN hurts.", "2026-03-03 23:30 UTC"],
            ["b", "batch and layer against none, 1 seed", "b says.", "2026-01-02 03:04 UTC"],
            ["older", "batch against none, 20 seeds", "older says.", "2026-01-02 03:04 UTC"],
        ],
        ["newer/index.html", "b/index.html", "older/index.html"],
    )
    page = (tmp_path / "index.html").read_bytes()
    index_page.run(tmp_path)
    assert (tmp_path / "index.html").read_bytes() == page
    assert b"That is not known here" not in page


def test_a_long_sentence_of_an_earlier_version_is_cut_between_words(tmp_path):
    judged(tmp_path, "long", sentence="a long answer, " * 40)
    index_page.run(tmp_path)
    ((_, _, answer, _),), _ = rows(tmp_path)
    assert len(answer) < 330
    assert answer.endswith(("long …", "answer …", " a …"))


@pytest.mark.parametrize("note", [None, "not JSON", '{"newest": 3}', "[]"])
def test_without_a_date_of_the_data_the_verdicts_date_it_and_the_page_says_so(tmp_path, note):
    folder = judged(tmp_path, "dated")
    if note:
        (folder / "data" / studies.NEWEST).write_text(note)
    os.utime(folder / "verdicts.json", (1_767_225_600, 1_767_225_600))
    index_page.run(tmp_path)
    assert rows(tmp_path)[0][0][3] == "2026-01-01 * 00:00 UTC"
    assert "* That is not known here" in stores.text_of(tmp_path / "index.html")


def test_what_is_no_study_or_cannot_be_read_is_left_out_with_a_word(tmp_path):
    judged(tmp_path, "whole")
    cut = judged(tmp_path, "cut") / "verdicts.json"
    cut.write_text(cut.read_text()[:-2])
    (judged(tmp_path, "foreign") / "verdicts.json").write_text("[]")
    (judged(tmp_path, "other") / "verdicts.json").write_text('{"study": "other", "arms": [], "seeds": "3"}')
    (judged(tmp_path, "binary") / "verdicts.json").write_bytes(b"\xff\xfe{}")
    (judged(tmp_path, "empty") / "verdicts.json").write_text("")
    (tmp_path / "begun" / "data").mkdir(parents=True)
    (tmp_path / "begun" / "data" / "trials.parquet").touch()
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "claims.csv").write_text("words\nBN helps\n")
    (tmp_path / "notes").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "file.txt").touch()
    os.mkfifo(tmp_path / "notes" / "verdicts.json")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    said = index_page.run(tmp_path)
    left_out = stores.text_of(tmp_path / "index.html").partition("Left out")[2]
    assert [row[0] for row in rows(tmp_path)[0]] == ["whole"]
    for reason in (
        "begun: not judged yet",
        "claims: without a column 'conclusion'",
        "cut: verdicts.json is not readable (cut off)",
        "foreign: verdicts.json is not readable (found list, allowed: an object)",
        "other: verdicts.json is not readable (without sentence, seeds)",
        "binary: verdicts.json is not readable ('utf-8' codec",
        "empty: verdicts.json is not readable (Expecting value: line 1 column 1 (char 0))",
    ):
        assert reason in left_out
    assert "; left out: begun (not judged yet), binary (" in said
    assert "notes" not in said + left_out


def test_verdicts_on_one_line_as_another_program_writes_them_are_read(tmp_path):
    path = judged(tmp_path, "one-line", "2026-01-02T03:04:05+00:00") / "verdicts.json"
    path.write_text(json.dumps(json.loads(path.read_text())))
    index_page.run(tmp_path)
    assert rows(tmp_path)[0][0][2] == "one-line says."


def test_the_tables_are_not_read(tmp_path):
    path = judged(tmp_path, "large", "2026-01-02T03:04:05+00:00") / "verdicts.json"
    path.write_text(path.read_text().replace('"tables": {}', '"tables": no JSON'))
    index_page.run(tmp_path)
    assert rows(tmp_path)[0][0][2] == "large says."


def test_hostile_names_and_texts_are_shown_as_what_they_are(tmp_path):
    judged(tmp_path, "<b>&\" 'x'#?%", "2026-01-02T03:04:05+00:00", sentence=HOSTILE, arms=["none", HOSTILE])
    os.mkdir(os.fsencode(tmp_path) + b"/bad\xff")  # noqa: PTH102 - a name that is no text
    os.rename(judged(tmp_path, "bad"), os.fsencode(tmp_path) + b"/bad\xff")  # noqa: PTH104
    (tmp_path / "cut<li><script>").mkdir()
    (tmp_path / "cut<li><script>" / "verdicts.json").write_text("{")
    said = index_page.run(tmp_path)
    said.encode("utf-8")
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count("<script>") == 1
    shown, links = rows(tmp_path)
    assert {row[0] for row in shown} == {"<b>&\" 'x'#?%", "bad?"}
    assert HOSTILE in [row[2] for row in shown]
    assert sorted(links) == ["%3Cb%3E%26%22%20%27x%27%23%3F%25/index.html", "bad%FF/index.html"]
    assert "cut<li><script>: verdicts.json is not readable" in unescape(page)


def test_a_page_of_somebody_else_stays(tmp_path):
    judged(tmp_path, "mine")
    (tmp_path / "index.html").write_text("my home page")
    with pytest.raises(UserError, match=r"index\.html: no index that bnbench has written; move it away to have one"):
        index_page.run(tmp_path)
    assert index_page.renew(tmp_path).startswith(f"warning: {tmp_path}/index.html: ")
    assert (tmp_path / "index.html").read_text() == "my home page"
    (tmp_path / "index.html").unlink()
    (tmp_path / "index.html").mkdir()
    assert index_page.renew(tmp_path).startswith("warning: ")


def test_without_studies_the_index_says_so_and_without_a_folder_there_is_none(tmp_path, capsys):
    assert index_page.run(tmp_path) == f"{tmp_path}/index.html\nNo study yet"
    assert "A study appears here when it has been judged." in stores.text_of(tmp_path / "index.html")
    assert cli.main(["index", "--reports", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err == f"{tmp_path}/nowhere: cannot be read (No such file or directory)\n"


def test_of_two_studies_that_finish_at_once_neither_is_lost(tmp_path, monkeypatch):
    """One has read the folder and is about to write; the other, which has come to its answer since, waits for it."""
    judged(tmp_path, "first")
    write, second = files.write_text, threading.Thread(target=index_page.run, args=[tmp_path])
    waited = []

    def slow(path, text):
        monkeypatch.setattr(files, "write_text", write)
        judged(tmp_path, "second")
        second.start()
        second.join(0.5)
        waited.append(second.is_alive())
        write(path, text)
        waited.append([row[0] for row in rows(tmp_path)[0]])

    monkeypatch.setattr(files, "write_text", slow)
    index_page.run(tmp_path)
    second.join(60)
    assert waited == [True, ["first"]]
    assert sorted(row[0] for row in rows(tmp_path)[0]) == ["first", "second"]


def test_the_claims_have_a_row_as_new_as_their_studies(tmp_path):
    judged(tmp_path, "older", "2026-01-02T03:04:05+00:00")
    judged(tmp_path, "newer", "2026-01-03T03:04:05+00:00")
    judged(tmp_path, "untested", "2026-01-04T03:04:05+00:00")
    (tmp_path / "claims").mkdir()
    table = 'words,conclusion,study\na,supported,older\nb,undecided,newer\n"c,\nd",undecided,newer\n'
    (tmp_path / "claims" / "claims.csv").write_text(table)
    index_page.run(tmp_path)
    shown, links = rows(tmp_path)
    assert shown[1] == ["claims", "3 claims, put to the test by 2 studies", "1 supported, 2 undecided.",
                        "2026-01-03 03:04 UTC"]  # fmt: skip
    assert "claims/index.html" in links


def test_a_rebuild_lists_the_study_by_the_date_of_its_trials_and_says_when_it_is_not_complete(tmp_path, rebuilt):
    study = synthetic.plan(**stores.PLAN)
    stores.stored(tmp_path, study)
    chunks = sorted((tmp_path / "results").glob("*/*/*.parquet"))
    for place, path in enumerate(chunks):
        os.utime(path, (1_767_225_600 + place * 60,) * 2)
    assert rebuilt(study)[0] == 0
    ((name, _, answer, date),), links = rows(tmp_path / "reports")
    verdicts = json.loads((tmp_path / "reports" / study.name / "verdicts.json").read_text())
    assert answer == verdicts.get("headline", verdicts["sentence"])
    newest = pd.Timestamp(1_767_225_600 + (len(chunks) - 1) * 60, unit="s").strftime("%Y-%m-%d %H:%M UTC")
    assert (name, date) == (study.name, newest)
    assert links == [f"{study.name}/index.html"]
    page = (tmp_path / "reports" / study.name / "index.html").read_bytes()
    for path in stores.paths(tmp_path / "results", study).values():
        path.unlink()
    assert rebuilt(study)[0] == 0
    assert rows(tmp_path / "reports")[0][0][0] == f"{study.name} (not complete)"
    assert (tmp_path / "reports" / study.name / "index.html").read_bytes() != page


def test_own_results_are_listed_by_the_date_of_their_table_and_from_python_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    runs = pd.DataFrame([(norm, seed) for norm in ("none", "batch") for seed in range(6)], columns=["norm", "seed"])
    runs["val_loss"] = random.lognormal(0, 0.1, len(runs))
    runs.to_csv("runs.csv", index=False)
    os.utime("runs.csv", (1_767_225_600, 1_767_225_600))
    assert cli.main(["judge", "runs.csv", "--factor", "norm", "--baseline", "none"]) == 0
    assert [row[0::3] for row in rows(tmp_path / "reports")[0]] == [["runs", "2026-01-01 00:00 UTC"]]
    bnbench.judge(runs, factor="norm", baseline="none", reports=tmp_path / "reports", name="frame")
    (first, second), _ = rows(tmp_path / "reports")
    assert (first[0], second[0]) == ("frame", "runs")
    assert "* " in first[3]
    kept_nowhere = bnbench.judge(runs, factor="norm", baseline="none", name="gone")
    assert not (kept_nowhere.folder.parent / "index.html").exists()
