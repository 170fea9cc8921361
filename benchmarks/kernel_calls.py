"""brisknet.kernels by hand, as closures over ready arrays, for compare and for test_kernels.py."""

from __future__ import annotations

import importlib



def module(implementation: str):
    """brisknet.kernels.native or brisknet.kernels.reference; ImportError where it is not built."""
    return importlib.import_module(f"brisknet.kernels.{'native' if implementation == 'native' else 'reference'}")
