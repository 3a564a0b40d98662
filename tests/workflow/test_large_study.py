"""A study that no command line can hold is run to its page like any other."""

import json

ARGUMENT = 128 * 1024
"""Bytes that Linux passes in one argument; the whole command of a job is one."""

CLAIMS = [
    {"words": f"BN helps, says number {number}, " + "at length " * 400, "source": "someone", "predicts": "helps"}
    for number in range(40)
]


def test_a_study_with_long_claims_is_recorded_before_training_and_reaches_its_page(new_checkout):
    checkout = new_checkout(batch_size=["full"], seeds=2, claims=CLAIMS)
    run = checkout.run("--printshellcmds")
    commands = [line for line in run.stderr.splitlines() if "python -m bnbench" in line]
    assert len(commands) == 2 + 4
    assert max(map(len, commands)) < 1000
    (handed,) = (checkout.folder / ".snakemake" / "bnbench").iterdir()
    assert handed.stat().st_size > 2 * ARGUMENT
    content = json.loads(handed.read_text())
    assert len(json.dumps(content["plan"])) > ARGUMENT
    records = [json.loads(path.read_text()) for path in (checkout.results / "preregistration").rglob("*.json")]
    assert [record["plan"] for record in records] == [content["plan"]] * 2
    assert "says number 39" in (checkout.report / "index.html").read_text()
    assert checkout.planned() == {}
    assert [*(checkout.folder / ".snakemake" / "bnbench").iterdir()] == [handed]
