"""The course's programs, at reduced length."""

import numpy as np

from examples import ads


def test_ads(capsys):
    results = ads.main(["--epochs", "3", "--verbose", "0"])
    assert set(results) == {"L1", "L2", "elastic net"}
    assert all(np.isfinite(v).all() for v in results.values())
    assert capsys.readouterr().out.count("test accuracy") == 3
