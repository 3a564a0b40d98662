"""README.md and docs/ are true: what they name exists, and what follows from the schemas follows from today's."""

import re
import runpy
from pathlib import Path

import pytest
import yaml
from guide import class_of, examples

from bnbench import cli
from bnbench.catalogue import activations, losses, norms, optimizers, parameters, schedules, tasks
from bnbench.catalogue.registries import ENTRIES
from bnbench.plan import config, configfile
from bnbench.plan.config import SCHEMA

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
MADE = runpy.run_path(str(DOCS / "generate.py"))["PAGES"]
PAGES = {str(page.relative_to(PROJECT)): page for page in (PROJECT / "README.md", *sorted(DOCS.glob("*.md")))}
LARGEST_README = 10_000

each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


def blocks(page, language=r"\w*"):
    """The fenced blocks of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def inline(page):
    """What a page shows as code within its sentences."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`]+)`", text)


def code(page):
    """All that a page shows as code, line by line."""
    return [*inline(page), *(line for block in blocks(page) for line in block.splitlines())]


def anchors(page):
    """What its headings can be linked by."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", MADE)
def test_a_page_that_follows_from_the_code_is_that_of_todays_code(name):
    assert (DOCS / name).read_text(encoding="utf-8") == MADE[name](), "out of date: run make docs"


def test_every_key_and_every_entry_stands_on_the_page_of_the_config():
    text = (DOCS / "config.md").read_text(encoding="utf-8")
    for key in SCHEMA["properties"]:
        assert f"| `{key}` |" in text
    for kind, registry in ENTRIES.items():
        for name, entry in registry.items():
            shown = text.partition(f"### {kind} `{name}`\n")[2].partition("\n#")[0]
            assert [*parameters.schema(entry)["properties"]] == re.findall(r"^\| `(\w+)` \|", shown, re.MULTILINE)
    assert "sha256" not in text


def test_a_default_on_the_page_of_the_config_reads_back_as_the_same_value():
    defaults = {key: rule["default"] for key, rule in SCHEMA["properties"].items() if rule.get("default", {}) != {}}
    text = (DOCS / "config.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"^\| `(\w+)` \| [^|]* \| `([^`]+)` \| (?:yes)? \|", text, re.MULTILINE))
    assert {key: yaml.safe_load(value) for key, value in shown.items()} == defaults
    assert "| `1.0e-05` |" in text
    assert yaml.safe_load("1.0e-05") == 1e-5


def test_the_readme_is_short():
    assert len((PROJECT / "README.md").read_bytes()) <= LARGEST_README


def test_the_readme_has_exactly_two_commands_under_its_heading():
    section = (
        (PROJECT / "README.md").read_text(encoding="utf-8").partition("\n## Two commands\n")[2].partition("\n## ")[0]
    )
    fence, *commands, end = section.strip().splitlines()
    assert [command.split("#")[0].split() for command in commands] == [["make", "report"], ["make", "test"]]
    assert fence == end == "```"


def test_the_readme_links_every_page_of_the_docs():
    linked = re.findall(r"\]\((docs/\w+\.md)\)", (PROJECT / "README.md").read_text(encoding="utf-8"))
    assert {*PAGES} - {"README.md"} <= {*linked}


@each_page
def test_a_relative_link_points_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"\w+://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@each_page
def test_a_target_and_a_variable_of_make_that_are_named_exist(page):
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    known = makefile + (PROJECT / "containers" / "build.sh").read_text(encoding="utf-8")
    for line in code(page):
        for target in re.findall(r"\bmake ([a-z][a-z-]*)", line):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), line
            for variable in re.findall(r"\b([A-Z_]{3,})=", line):
                assert variable in known, line


@each_page
def test_a_file_that_a_command_names_exists_unless_it_is_the_readers_own(page):
    for line in code(page):
        for name in re.findall(r"--(?:configfile|workflow-profile|requirement|snakefile) (\S+)|-r (\S+)", line):
            (path,) = filter(None, name)
            assert (PROJECT / path).exists() or path == "my-study.yaml", line


@each_page
def test_a_step_of_the_command_line_that_is_named_exists(page, capsys):
    for line in code(page):
        for verb in re.findall(r"^bnbench ([a-z]+)", line):
            with pytest.raises(SystemExit) as ended:
                cli.main([verb, "--help"])
            assert ended.value.code == 0, line
    capsys.readouterr()


def known_keys():
    """Every key and every parameter that a config may have, and every key of a profile, commented out or not."""

    def inside(rule):
        for key, item in rule.get("properties", {}).items():
            yield key
            yield from inside(item)
            yield from inside(item.get("items", {}))

    entries = [entry for registry in ENTRIES.values() for entry in registry.values()]
    profiles = [path.read_text() for path in PROJECT.glob("workflow/profiles/*/config.yaml")]
    ours = re.findall(r"^[ #]*([a-z_]+):", "\n".join(profiles), re.MULTILINE)
    return {"name", *ours, *inside(SCHEMA), *(key for entry in entries for key in inside(parameters.schema(entry)))}


@each_page
def test_a_key_of_the_config_that_is_named_exists(page):
    known = known_keys()
    for text in inline(page):
        if re.match(r"[a-z_]+: ", text):  # a piece of YAML
            assert {*re.findall(r"(?:^|[{ ])([a-z_]+): ", text)} <= known, text
        if dotted := re.fullmatch(r"(report|tune|seeds|seeds_per_job)\.(\w+)", text):
            assert dotted[2] in SCHEMA["properties"][dotted[1]]["properties"], text
    for block in blocks(page, "yaml"):
        assert {*yaml.safe_load(block)} <= {*SCHEMA["properties"]}


@each_page
def test_a_key_that_a_command_changes_exists(page):
    for line in code(page):
        for changes in re.findall(r"(?:--config |CONFIG=')([^'#]*)", line):
            assert {key for key, _ in re.findall(r"(\w+)=(\S+)", changes)} <= {*SCHEMA["properties"]}, line


def shown(name):
    """The class of an example, made where its reader would write it."""
    modules = {
        "norm": norms,
        "task": tasks,
        "optimizer": optimizers,
        "schedule": schedules,
        "activation": activations,
        "loss": losses,
    }
    source = examples()[name]
    namespace = dict(vars(modules[name]))
    exec("from __future__ import annotations\n" + source, namespace)
    return namespace[class_of(source)]


def test_there_is_an_example_of_everything_that_can_be_added():
    assert [*examples()] == ["norm", "task", "optimizer", "schedule", "activation", "loss"]


def test_the_norm_that_is_shown_normalizes():
    import torch

    x = torch.linspace(-3, 5, 24, dtype=torch.float64).reshape(2, 3, 4)
    y, _ = shown("norm")().forward(x, {"gamma": torch.ones(2, 1, 4, dtype=torch.float64)}, {})
    torch.testing.assert_close(y.square().sum(2), torch.ones(2, 3, dtype=torch.float64), atol=1e-3, rtol=0)


def test_the_task_that_is_shown_gives_points():
    data = shown("task")().data(0)
    assert data.train_y.shape == (100, 1)
    assert data.test_y == pytest.approx(data.test_x**2)


def test_the_optimizer_that_is_shown_is_one_of_torch():
    import torch

    optimizer = shown("optimizer")()
    getattr(torch.optim, optimizer.torch_class)([torch.zeros(1, requires_grad=True)], **optimizer.arguments())


def test_the_schedule_that_is_shown_falls_from_the_full_rate():
    schedule = shown("schedule")(final=0.5)
    assert [schedule.factor(epoch, 4) for epoch in range(4)] == [1, 0.875, 0.75, 0.625]


def test_the_activation_that_is_shown_names_a_function_of_torch():
    from torch.nn import functional

    assert callable(getattr(functional, shown("activation").function))


def test_the_loss_that_is_shown_is_one_of_each_example():
    import torch

    from bnbench.trainer import objectives

    output, target = torch.full((2, 3, 1), 2.0), torch.zeros(2, 3, 1)
    loss, gradient = objectives.differentiate(shown("loss")(), output, target)
    torch.testing.assert_close(loss, output.cosh().log())
    torch.testing.assert_close(gradient, output.tanh())


@pytest.mark.parametrize(
    "block", blocks(DOCS / "questions.md", "yaml"), ids=lambda block: yaml.safe_load(block)["study"]
)
def test_the_config_of_a_question_can_be_planned_and_is_named_as_its_file(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if "path:" in block:
        for written in blocks(DOCS / "questions.md", "python"):
            exec(written, {})
    name = re.match(r"# (\S+)\.yaml\n", block)[1]
    assert config.load(yaml.safe_load(block), name).name == name


def test_docs_show_the_claims_page_and_that_every_claim_of_the_studies_that_come_along():
    table = (PROJECT / "reports" / "example" / "claims.md").read_text(encoding="utf-8")
    assert table.replace("](workflow/", "](../workflow/") in (DOCS / "claims.md").read_text(encoding="utf-8")
    studies = sorted((PROJECT / "workflow" / "studies").glob("*.yaml"))
    made = [each["words"] for path in studies for each in configfile.read(path).get("claims", [])]
    assert [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()[2:]] == made
