"""Handles of the library, and the objects that own one.

A handle is closed when its owner says so and nothing uses it any more: a call in another thread keeps it open to its end, and so does a
numpy array that looks at its memory. Nothing that Python holds can thus point to memory that is gone.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any, Callable, Dict, Optional, TypeVar

from . import _library
from ._errors import HandleError

_lock = threading.RLock()


def _after_fork() -> None:
    # Another thread may have held it.
    global _lock
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)


def _close(value: int) -> None:
    # In a child that was forked there is nothing to close.
    if not _library.is_forked():
        _library.call("gradpath_close", value)


class Handle:
    """A handle with the number of its users. ``with handle as value:`` is a use."""

    __slots__ = ("_value", "_kind", "_users", "_closing", "_finalizer", "__weakref__")

    def __init__(self, value: int, kind: str) -> None:
        self._value = value
        self._kind = kind
        self._users = 0
        self._closing = False
        self._finalizer = weakref.finalize(self, _close, value)
        # A process that ends gives back all it has; closing then would only take time, and memory from arrays that are still looked at.
        self._finalizer.atexit = False

    def __enter__(self) -> int:
        _library.refuse_after_fork()
        with _lock:
            if self._closing:
                raise closed(self._kind)
            self._users += 1
        return self._value

    def __exit__(self, *_: object) -> None:
        with _lock:
            self._users -= 1
            last = self._closing and self._users == 0
        if last:
            self._finalizer()

    @property
    def closed(self) -> bool:
        """Whether no new use may begin."""
        return self._closing

    def close(self) -> None:
        """Closes the handle, at once or with the end of the last use."""
        with _lock:
            last = not self._closing and self._users == 0
            self._closing = True
        if last:
            self._finalizer()

    def keep(self, viewer: Any) -> None:
        """Counts an object as a user for as long as it lives."""
        self.__enter__()
        weakref.finalize(viewer, self.__exit__).atexit = False


class Missing:
    """Stands where an object was made without a handle, by ``__new__`` alone or by a class that does not call ``super().__init__``."""

    closed = True

    def __enter__(self) -> int:
        raise HandleError("the object was never opened: its class's __init__ was not called")

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        """There is nothing to close."""


def closed(kind: str) -> HandleError:
    """What is raised where an object of this kind is used after its end."""
    return HandleError(f"the {kind} {'are' if kind in ('scores', 'prompts') else 'is'} closed")


def optional_dict(value: Any) -> Optional[Dict[str, Any]]:
    """A fact that some objects have: a dict, or None."""
    return None if value is None else dict(value)


Owned = TypeVar("Owned", bound="Owner")
T = TypeVar("T")


class Owner:
    """An object that owns a handle: it can be closed, is a context manager, and closes itself when it is forgotten."""

    _KIND = "object"
    # What to do instead of pickling it.
    _INSTEAD = "make another one there"
    _handle: Any = Missing()
    _facts: Optional[Dict[str, Any]] = None

    def __init__(self, value: int) -> None:
        self._handle = Handle(value, self._KIND)

    def close(self) -> None:
        """Gives up what the object holds. Closing twice is fine; every other use afterwards raises :class:`HandleError`."""
        self._handle.close()

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._handle.closed

    def describe(self) -> Dict[str, Any]:
        """All that the library knows of the object, asked anew.

        Raises:
            HandleError: It is closed.
        """
        with self._handle as value:
            described: Dict[str, Any] = _library.parsed("gradpath_describe", value)
        return described

    def _fact(self, name: str, kind: Callable[[Any], T]) -> T:
        # What an object is does not change.
        if self._facts is None:
            self._facts = self.describe()
        elif self._handle.closed:
            raise closed(self._KIND)
        return kind(self._facts[name])

    def __enter__(self: Owned) -> Owned:
        if self.closed:
            raise closed(self._KIND)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise TypeError(f"{type(self).__name__} objects cannot be pickled or copied, because they belong to their process: {self._INSTEAD}")
