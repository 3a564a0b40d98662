"""Arrays in .npz files are those that NumPy reads, and are mapped where they lie."""

import numpy as np
import pytest
from array_files import halves, written
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from bnbench.catalogue import npz
from bnbench.errors import UserError

TYPES = of_numpy.scalar_dtypes().filter(lambda dtype: dtype.kind in "buif")


@given(
    array=of_numpy.arrays(TYPES, of_numpy.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)),
    order=st.sampled_from("CF"),
    compressed=st.booleans(),
)
def test_arrays_are_those_that_numpy_reads(tmp_path_factory, array, order, compressed):
    arrays = {"before": np.arange(3, dtype=np.int8), "x": np.asarray(array, order=order), "after": np.ones((2, 2))}
    path = written(tmp_path_factory.mktemp("npz") / "a.npz", arrays, compressed=compressed)
    found, expected = npz.arrays(path), np.load(path)
    assert [*found] == expected.files
    for name in found:
        assert found[name].dtype == expected[name].dtype
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize("compressed", [False, True])
def test_what_is_not_compressed_is_mapped(tmp_path, compressed):
    path = written(tmp_path / "a.npz", halves(), compressed=compressed)
    bases = [each.base for each in npz.arrays(path).values()]
    assert [isinstance(base, np.memmap) for base in bases] == [not compressed] * 4


def test_what_is_written_to_an_array_changes_no_file(tmp_path):
    path = written(tmp_path / "a.npz", halves())
    before = npz.sha256(path)
    npz.arrays(path)["x_train"][:] = 0
    assert npz.sha256(path) == before
    assert np.load(path)["x_train"].any()


def test_the_hash_is_that_of_the_bytes_and_follows_them(tmp_path):
    import hashlib

    path = tmp_path / "a.npz"
    for seed in (0, 1):
        written(path, halves(seed=seed))
        assert npz.sha256(str(path)) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_is_hashed_once_in_a_process(tmp_path, monkeypatch):
    path = written(tmp_path / "a.npz", halves())
    found = npz.sha256(path)
    monkeypatch.setattr(npz.hashlib, "sha256", None)
    assert npz.sha256(path) == found


def test_objects_are_refused_and_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("it was loaded",))

    arrays = {**halves(), "y_train": np.array([Trap()], dtype=object)}
    with pytest.raises(UserError, match=r"a\.npz: 'y_train' holds Python objects"):
        npz.arrays(written(tmp_path / "a.npz", arrays))


def test_what_is_no_npz_is_told_of(tmp_path):
    with pytest.raises(UserError, match="cannot read the data file"):
        npz.arrays(str(tmp_path / "none.npz"))
    (tmp_path / "bad.npz").write_bytes(b"no zip")
    with pytest.raises(UserError, match=r"bad\.npz: cannot be read as \.npz"):
        npz.arrays(str(tmp_path / "bad.npz"))
    np.save(tmp_path / "a.npy", np.ones(3))
    with pytest.raises(UserError, match=r"found a file ending in '\.npy'"):
        npz.arrays(str(tmp_path / "a.npy"))
