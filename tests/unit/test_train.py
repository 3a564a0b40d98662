"""One job: what it reads."""

from golden import TABLE
from specs import named, spec

from bnbench import train
from bnbench.catalogue import datafiles
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting


def test_a_data_file_is_read_and_hashed_once_a_job_however_many_seeds_it_trains(monkeypatch, tmp_path):
    planned = datafiles.inspect_table(TABLE, "price", "refuse")
    setting = Setting.from_spec(spec(task=named("task", "table", path=TABLE, target="price", **planned), epochs=2))
    train.run(Chunk(setting, 3, 2), tmp_path, 1)
    calls = []
    for name in ("sha256", "read_table"):
        whole = getattr(datafiles, name)
        monkeypatch.setattr(datafiles, name, lambda *args, name=name, whole=whole: calls.append(name) or whole(*args))
    train.run(Chunk(setting, 0, 8), tmp_path, 1)  # two runs of seeds, before and after those that are there
    assert calls == ["sha256", "read_table"]
