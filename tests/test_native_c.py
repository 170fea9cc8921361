"""Compiles and runs the C tests of tests/native for every instruction set that a compiler and this machine can do.

They hold the kernels themselves against double precision, without Python between: see the head of each C file.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLAGS = [
    "-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-Wall", "-Wextra", "-Werror",
]  # fmt: skip
AVX2 = ["-mavx2", "-mfma", "-mbmi2", "-mf16c"]
ISA = {
    "v2": ["-march=x86-64-v2"],
    "avx2": [*AVX2, "-mtune=znver3"],
    "avx512": [*AVX2, "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl"],
    "neon": [],
}
SANITIZE = ["-O1", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
X86 = platform.machine().lower() in ("x86_64", "amd64")
ARM = platform.machine().lower() in ("aarch64", "arm64")
PROGRAMS = ("vmath", "dense", "matmul")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the C tests use POSIX memory protection")


def compiler(isa: str) -> tuple[list[str], list[str]]:
    """The compile command and the prefix that runs its programs; skips the test where there is none."""
    native = (isa == "neon") == ARM and (X86 or ARM)
    if native:
        cc = os.environ.get("CC", "cc").split()
        if shutil.which(cc[0]) is None:
            pytest.skip("no C compiler")
        return cc, []
    cross, emulator = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64-static")
    if isa != "neon" or not cross or not emulator:
        pytest.skip(f"no compiler and emulator for {isa}")
    return [cross, "-static"], [emulator]


def cpu_has(flag: str) -> bool:
    info = Path("/proc/cpuinfo")
    return info.exists() and flag in info.read_text().split()


def build(tmp_path: Path, program: str, isa: str, extra: list[str]) -> list[str]:
    """Compiles one program; returns the command that runs it."""
    cc, prefix = compiler(isa)
    target = tmp_path / f"{program}_{isa}"
    command = [
        *cc, *FLAGS, *ISA[isa], *extra, f'-DISA_HEADER="simd/{isa}.h"', f"-I{ROOT / 'csrc'}",
        str(ROOT / "tests" / "native" / f"test_{program}.c"), "-o", str(target), "-lm",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return [*prefix, str(target)]


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert done.stdout.rstrip().endswith("ok")


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("isa", ["v2", "avx2", "avx512"])
def test_x86(tmp_path, program, isa):
    able = isa == "v2" or cpu_has("fma" if isa == "avx2" else "avx512dq")
    command = build(tmp_path, program, isa, [] if able else ["-O1"])
    if not able:
        pytest.skip(f"compiled, but this CPU has no {isa}")
    run(command)


@pytest.mark.parametrize("program", PROGRAMS)
def test_neon(tmp_path, program):
    command = build(tmp_path, program, "neon", [])
    shorter = {"vmath": "65537", "dense": "41", "matmul": "41"}[program]
    run([*command, shorter] if len(command) > 1 else command)


@pytest.mark.parametrize("program", PROGRAMS)
def test_sanitized(tmp_path, program):
    isa = "neon" if ARM else "avx2" if cpu_has("fma") else "v2"
    command = build(tmp_path, program, isa, SANITIZE)
    run([*command, {"vmath": "65537", "dense": "13", "matmul": "13"}[program]])
