"""What the terminal can show."""

from __future__ import annotations

__all__ = ["can_draw"]


def can_draw(stream, characters: str = "█▏┃━├└") -> bool:
    """True where the stream's encoding has these characters (blocks and box drawing)."""
    encoding = getattr(stream, "encoding", None) or "ascii"
    try:
        characters.encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True
