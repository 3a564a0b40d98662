"""What changes the last bits of a trial on one machine: the vector instructions, and settings of the environment.

Of the environment only the variables below are looked at, and only words that their libraries know are kept, so that
nothing of a user's gets beside the numbers.
"""

import os
import re

import torch

SETTINGS = (
    "ATEN_CPU_CAPABILITY",  # torch's own kernels
    *("MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "MKL_DISABLE_FAST_MM", "OPENBLAS_CORETYPE"),  # matrix products
    *("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"),
    *("NPY_DISABLE_CPU_FEATURES", "NPY_ENABLE_CPU_FEATURES"),  # targets that NumPy computes
    *("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "CUBLAS_WORKSPACE_CONFIG"),
    *("TORCH_BLAS_PREFER_CUBLASLT", "TORCH_CUDNN_V8_API_DISABLED", "TORCH_LINALG_PREFER_CUSOLVER"),
)
"""Environment variables that choose kernels, or their precision."""

_WORDS = re.compile(
    r"\d{1,5}|auto|branch|strict|compatible|default|all|any|true|false|yes|no|on|off|bf16|f16|tf32|"
    r"s?sse\d?(_?\d)?|avx\d{0,3}[a-z]{0,2}(_(e\d|mic|core|vnni|bf16|fp16|int8|amx|4ops|knl|knm|skx|clx|cnl|icl|spr|\d+))*|"
    r"fma[34]|f16c|popcnt|x86_v[234]|neon|asimd|sve\d*|vsx\d?|zvector|"
    r"prescott|core2|penryn|dunnington|nehalem|sandybridge|haswell|skylakex|cooperlake|sapphirerapids|"
    r"barcelona|bobcat|bulldozer|piledriver|steamroller|excavator|zen|armv8|neoverse[nv]\d",
    re.IGNORECASE,
)
"""The words that the values of these settings are made of."""


def description() -> str:
    """Such as `AVX512`, or `AVX2, ATEN_CPU_CAPABILITY=avx2, MKL_CBWR=other` for a value that is not known."""
    written = ((name, os.environ.get(name, "").strip()) for name in SETTINGS)
    return ", ".join(
        [torch.backends.cpu.get_cpu_capability(), *(f"{name}={_known(text)}" for name, text in written if text)]
    )


def _known(value: str) -> str:
    """The value, if it is made of known words; else `other`."""
    words = re.split(r"[\s,:=]+", value)
    return re.sub(r"\s+", " ", value) if all(not word or _WORDS.fullmatch(word) for word in words) else "other"
