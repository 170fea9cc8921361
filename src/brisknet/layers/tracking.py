"""Lists and dicts that tell a layer what is put into them: `self.blocks.append(Dense(3))` is noticed, as in Keras."""

from __future__ import annotations

__all__ = ["TrackedDict", "TrackedList", "tracked"]


def tracked(value, owner):
    """A list or dict as one that tells `owner` (by owner._track(item)) of new items; anything else as it is."""
    if type(value) is list:
        return TrackedList(value, owner)
    return TrackedDict(value, owner) if type(value) is dict else value


class _Tracked:
    _owner = None

    def _seen(self, *items):
        # While a copy or a pickle is put together, items may come before the owner, or before it is complete.
        if self._owner is not None and "_layers" in vars(self._owner):
            for item in items:
                self._owner._track(item)


class TrackedList(_Tracked, list):
    """A list whose owner hears of every item."""

    def __init__(self, items=(), owner=None):
        super().__init__(items)
        self._owner = owner

    def append(self, item):
        super().append(item)
        self._seen(item)

    def insert(self, index, item):
        super().insert(index, item)
        self._seen(item)

    def extend(self, items):
        items = list(items)
        super().extend(items)
        self._seen(*items)

    def __iadd__(self, items):
        self.extend(items)
        return self

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        self._seen(*(self[key] if isinstance(key, slice) else [value]))


class TrackedDict(_Tracked, dict):
    """A dict whose owner hears of every value."""

    def __init__(self, items=(), owner=None):
        super().__init__(items)
        self._owner = owner

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        self._seen(value)

    def update(self, *args, **kwargs):
        new = dict(*args, **kwargs)
        super().update(new)
        self._seen(*new.values())

    def setdefault(self, key, default=None):
        value = super().setdefault(key, default)
        self._seen(value)
        return value
