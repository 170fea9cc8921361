"""What the figures depend on, above them."""

import os


def pytest_report_header(config):
    from brisknet import config as settings

    lines = [f"brisknet: {settings.backend()} back end, {settings.isa()}, {settings.num_threads()} threads"]
    slowed = [k for k in os.environ if k in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")]
    if slowed:
        lines.append(f"NumPy's BLAS is under {', '.join(slowed)}: unset them for a fair comparison")
    return lines
