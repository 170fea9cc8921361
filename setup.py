"""Builds the native core: every kernel once per instruction set, each with its own compiler flags.

BRISKNET_NO_EXT=1 gives the pure-Python package, in which everything runs on the NumPy reference executor. So does a
machine without a C compiler, with a message that says so.
"""

from __future__ import annotations

import os
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

COMMON = [
    "-std=gnu11", "-O3", "-g0", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-fvisibility=hidden",
    "-fno-semantic-interposition",
]  # fmt: skip
AVX2 = ["-mavx2", "-mfma", "-mbmi2", "-mf16c"]
ISA_FLAGS = {
    "x86": {
        "v2": ["-march=x86-64-v2"],
        "avx2": [*AVX2, "-mtune=znver3"],
        "avx512": [*AVX2, "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl"],
    },
    "arm": {"neon": []},
}
HEADERS = sorted(str(p) for p in Path("csrc").rglob("*.[hd]*"))
ISA_SOURCES = sorted(str(p) for p in Path("csrc/isa").glob("*.c"))
CORE = sorted(str(p) for p in Path("csrc/core").glob("*.c"))


def architecture() -> str | None:
    machine = os.environ.get("_PYTHON_HOST_PLATFORM", platform.machine()).lower()
    if any(m in machine for m in ("x86_64", "amd64")):
        return "x86"
    return "arm" if any(m in machine for m in ("aarch64", "arm64")) else None


class BuildNative(build_ext):
    """Compiles csrc/isa/<isa>.c with the flags of its instruction set and links the objects into brisknet._core."""

    def build_extension(self, ext):
        if ext.name == "brisknet._core":
            ext.extra_objects = self.compile_kernels()
        super().build_extension(ext)

    def compile_kernels(self) -> list[str]:
        jobs = [(f"csrc/isa/{isa}.c", flags) for isa, flags in ISA_FLAGS[architecture()].items()]
        jobs += [(source, []) for source in CORE]
        def build(job):
            source, flags = job
            return self.compiler.compile(
                [source], output_dir=self.build_temp, include_dirs=["csrc"], extra_postargs=COMMON + flags, depends=HEADERS
            )

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            return [o for objects in pool.map(build, jobs) for o in objects]


def extensions() -> list[Extension]:
    if os.environ.get("BRISKNET_NO_EXT", "") not in ("", "0"):
        print("brisknet: BRISKNET_NO_EXT is set, building the pure-Python package", file=sys.stderr)
        return []
    if architecture() is None:
        print(f"brisknet: no kernels for {platform.machine()}, building the pure-Python package", file=sys.stderr)
        return []
    from Cython.Build import cythonize

    def extension(name, source):
        return Extension(
            name, [source], include_dirs=["csrc"], extra_compile_args=COMMON, extra_link_args=["-s", "-pthread", "-lm"],
            optional="BRISKNET_REQUIRE_EXT" not in os.environ, depends=[*HEADERS, *CORE, *ISA_SOURCES],
        )  # fmt: skip

    modules = [extension("brisknet._core", "src/brisknet/_core.pyx")]
    modules.append(extension("brisknet.kernels.native", "src/brisknet/kernels/native.pyx"))  # calls the kernels in _core
    return cythonize(modules, language_level=3, quiet=True)


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildNative})
