"""matplotlib, where it is wanted: the one place that imports it."""

from __future__ import annotations

__all__ = ["finish", "pyplot"]


def pyplot(what: str):
    """matplotlib.pyplot; ImportError that says how to get it, naming `what` needs it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise ImportError(f"{what} needs matplotlib: pip install brisknet[plot]") from None
    return plt


def finish(figure, path):
    """The figure, saved to `path` where one is given (the format is that of the name; then pyplot lets go of it)."""
    figure.tight_layout()
    if path is not None:
        figure.savefig(path, dpi=150)
        pyplot("plot()").close(figure)
    return figure
