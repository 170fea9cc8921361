"""What the terminal can show."""

from __future__ import annotations

__all__ = ["can_draw"]


def can_draw(stream) -> bool:
    """True where the stream's encoding has block and box-drawing characters."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    try:
        "█▏┃━├└".encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True
