"""What tells two settings apart: the bytes of a user's file alone, or more."""

from pathlib import Path

import pytest

from bnbench.plan import config, user_files

NET = "def net(norm, inputs, outputs, width=4):\n    return norm(width)\n"
LOSS = "def loss(output, target):\n    return (output - target).abs()\n"


@pytest.fixture
def setting(tmp_path, monkeypatch):
    """A function that plans a setting of BN with files of the user's, `net` and `loss` by their texts."""
    monkeypatch.chdir(tmp_path)

    def planned(net=NET, loss=LOSS, path="nets.py", **changes):
        for name, text in ((path, net), ("losses.py", loss)):
            Path(name).parent.mkdir(exist_ok=True)
            Path(name).write_text(text)
        network = {"name": "module", "path": path, "build": "net", **changes.pop("network", {})}
        own_loss = {"name": "module", "path": "losses.py", "build": "loss"}
        study = {"study": "s", "network": network, "loss": own_loss, "batch_size": "full", **changes}
        return next(each for each in config.load(study, "s").settings if each.labels["norm"] == "batch")

    return planned


def test_a_comment_is_a_change_of_its_file(setting):
    old, new = setting(), setting(net=f"{NET}# more\n")
    assert old.address != new.address
    assert user_files.changed(new, old) == ["nets.py"]
    assert user_files.changed(new, new) == []


def test_several_files_may_change(setting):
    old = setting()
    assert user_files.changed(setting(net=f"{NET}# more\n", loss=f"{LOSS}# more\n"), old) == ["nets.py", "losses.py"]


def test_a_function_that_takes_more_than_before_is_a_change_of_its_file(setting):
    assert user_files.changed(setting(net=NET.replace("inputs, ", "")), setting()) == ["nets.py"]


def test_a_file_that_was_moved_is_the_same_and_one_that_was_renamed_is_not(setting):
    old = setting()
    assert user_files.changed(setting(path="elsewhere/nets.py"), old) == []
    assert user_files.changed(setting(path="elsewhere/nets.py", net=f"{NET}# more\n"), old) == ["elsewhere/nets.py"]
    assert user_files.changed(setting(path="other.py", net=f"{NET}# more\n"), old) == []


@pytest.mark.parametrize("changes", [{"network": {"width": 8}}, {"epochs": 7}, {"optimizer": "sgd"}])
def test_what_differs_in_more_than_bytes_is_another_setting(setting, changes):
    assert user_files.changed(setting(net=f"{NET}# more\n", **changes), setting()) == []


def test_a_table_is_the_same_one_with_more_rows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def planned(rows):
        Path("data.csv").write_text("x,y\n" + "".join(f"{row},{row % 3}\n" for row in range(rows)))
        task = {"name": "table", "path": "data.csv", "target": "y"}
        return config.load({"study": "s", "task": task, "batch_size": "full"}, "s").settings[0]

    assert user_files.changed(planned(12), planned(8)) == ["data.csv"]


def test_a_setting_without_files_names_none():
    assert user_files.named(config.load({"study": "s"}, "s").settings[0]) == {}
