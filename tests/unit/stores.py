"""Results as the trainer leaves them, to be rebuilt through the command line, and what may befall their files."""

import re
from html import unescape

import pyarrow as pa
import pyarrow.parquet as pq
import synthetic
import yaml

from bnbench import cli
from bnbench.plan import cost
from bnbench.plan.chunks import all_chunks
from bnbench.store import chunk_files, tables

PLAN = {"seeds": 8, "seeds_per_job": {"cpu": 4}}
TWO = {**PLAN, "batch_size": ["full", 25]}


def run(folder, study, verb):
    """Run a verb for a study on the results in `folder`; the exit status."""
    config = {key: value for key, value in study.config.items() if key != "reference_points"}
    (folder / "study.yaml").write_text(yaml.safe_dump(config))
    folders = ["--results", str(folder / "results"), "--reports", str(folder / "reports")]
    return cli.main([verb, "--configfile", str(folder / "study.yaml"), *folders])


def text_of(page):
    """What a reader sees of a page; nothing where there is none."""
    html = page.read_text(encoding="utf-8") if page.exists() else ""
    shown = re.sub(r"<(style|script)\b.*?</\1>|data:[^\"]*", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def stored(folder, study, **options):
    """Store a study in which BN triples the loss, and return the folder of its results."""
    return synthetic.stored(study, folder / "results", **{"noise": 0.2, "ratio": synthetic.arms(batch=3.0), **options})


def paths(results, study, norm="batch", first=4, batch_size="full"):
    """The files of the chunk of one setting that starts at the seed `first`, by kind."""
    labels = {"norm": norm, "batch_size": batch_size}.items()
    (chunk,) = (
        c for c in all_chunks(study, cost.seeds_per_job) if c.first == first and labels <= c.setting.labels.items()
    )
    return chunk_files.paths(chunk, results)


def changed(path, change):
    """Write a chunk's table again with other rows or columns under the footer that it had."""
    footer = tables.footer(path)
    tables.write_parquet(path, change(pq.read_table(path)), footer)


def of_earlier_version(path, change=lambda table: table):
    """The same without the hash of its content, as earlier versions wrote tables."""
    footer = {name: said for name, said in tables.footer(path).items() if name != "content"}
    tables.write_parquet(path, change(pq.read_table(path)), footer)


def with_column(name, of):
    """A change of one column: `of` gives its new values from the old ones, by row; None for null."""

    def change(table):
        values = [of(value) for value in table[name].to_pylist()]
        index = table.schema.get_field_index(name)
        return table.set_column(index, name, pa.array(values, table.schema.field(name).type))

    return change
