"""What changes the last bits is named beside the numbers, and nothing else of the environment is."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bnbench.trainer import arithmetic

KNOWN = {
    "ATEN_CPU_CAPABILITY": ("avx2", "default", "avx512"),
    "MKL_CBWR": ("AUTO", "COMPATIBLE", "AVX2,STRICT", "BRANCH=AVX512_E1", "SSE4_2"),
    "MKL_ENABLE_INSTRUCTIONS": ("AVX2", "AVX512_E4", "SSE4_2"),
    "ONEDNN_MAX_CPU_ISA": ("AVX512_CORE_AMX", "AVX2_VNNI_2", "AVX10_1_512_AMX_FP16", "DEFAULT"),
    "ONEDNN_DEFAULT_FPMATH_MODE": ("STRICT", "BF16", "ANY"),
    "NPY_DISABLE_CPU_FEATURES": ("AVX512F AVX512_SKX", "FMA3,AVX2"),
    "CUBLAS_WORKSPACE_CONFIG": (":4096:8", ":16:8"),
    "NVIDIA_TF32_OVERRIDE": ("0", "1"),
    "OPENBLAS_CORETYPE": ("Haswell", "SkylakeX", "Zen"),
}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in arithmetic.SETTINGS:
        monkeypatch.delenv(name, raising=False)


def test_without_settings_it_is_what_torch_says_of_itself(monkeypatch):
    monkeypatch.setenv("MKL_CBWR", "")
    assert arithmetic.description() == torch.backends.cpu.get_cpu_capability()


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in KNOWN.items() for value in values])
def test_a_setting_that_changes_rounding_is_named_with_its_value(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    assert arithmetic.description().endswith(f", {name}={value}")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1, max_size=20))
def test_any_other_value_is_not_kept(name):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MKL_CBWR", f"AVX2 user-{name}")
        assert arithmetic.description().endswith(", MKL_CBWR=other")


@pytest.mark.parametrize(
    "value", ["/home/anna/x", "anna", "AVX2;anna", "avxanna", "192.0.2.1", "AVX2\nanna", "sse_anna"]
)
def test_nothing_of_a_user_gets_through(monkeypatch, value):
    for name in arithmetic.SETTINGS:
        monkeypatch.setenv(name, value)
    said = arithmetic.description()
    assert said.count("=other") == len(arithmetic.SETTINGS)
    assert "anna" not in said
    assert "192" not in said
