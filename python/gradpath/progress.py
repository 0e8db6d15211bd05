"""How far a run is, on a terminal, in a notebook, or told to a function."""

from __future__ import annotations

import sys
import time
from typing import Any, Callable, Optional, Union

ProgressFunction = Callable[[int, int, str], Any]
ProgressOption = Union[None, bool, ProgressFunction]

_SILENT = 1.0
_BETWEEN = 0.1
_WIDTH = 24


class _Told:
    """A function of the caller's: (done, total, stage)."""

    def __init__(self, function: ProgressFunction) -> None:
        self._function = function

    def report(self, done: int, total: int, stage: str) -> None:
        self._function(done, total, stage)

    def close(self) -> None:
        pass


class Line:
    """A line that is written over and over, once a run has taken a second: stage, share, bar, time gone and to come."""

    def __init__(self, stream: Any = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._clock = clock
        self._began = clock()
        self._written: Optional[float] = None
        self._length = 0

    def report(self, done: int, total: int, stage: str) -> None:
        """Writes the line where it is time to."""
        now = self._clock()
        if now - self._began < _SILENT or (self._written is not None and now - self._written < _BETWEEN):
            return
        self._written = now
        self._write(self.text(done, total, stage, now - self._began))

    def close(self) -> None:
        """Takes the line away."""
        if self._written is not None:
            self._write("")
            self._stream.write("\r")
            self._stream.flush()

    @staticmethod
    def text(done: int, total: int, stage: str, seconds: float) -> str:
        """The line's text."""
        if total <= 0:
            return f"{stage} [{clock_text(seconds)}]"
        share = min(1.0, done / total)
        bar = "#" * round(share * _WIDTH)
        rest = clock_text(seconds / share - seconds) if share > 0 else "?"
        return f"{stage}: {share:4.0%}|{bar:<{_WIDTH}}| {done}/{total} [{clock_text(seconds)}<{rest}]"

    def _write(self, text: str) -> None:
        try:
            self._stream.write("\r" + text.ljust(self._length))
            self._stream.flush()
        except (OSError, ValueError):
            # Nobody reads it any more.
            pass
        self._length = len(text)


def clock_text(seconds: float) -> str:
    """Seconds as 01:23 or 1:01:23."""
    whole = int(seconds)
    minutes = f"{whole // 60 % 60:02}:{whole % 60:02}"
    return minutes if whole < 3600 else f"{whole // 3600}:{minutes}"


def _is_watched() -> bool:
    if "ipykernel" in sys.modules:
        return True
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:
        return False


def reporter_of(progress: ProgressOption) -> Any:
    """What reports a run's progress; None for nothing.

    Args:
        progress: None for a line where someone sees it (a terminal, a notebook), True for a line anywhere, False for nothing, or a
            function (done, total, stage).
    """
    if progress is None:
        return Line() if _is_watched() else None
    if progress is False:
        return None
    if progress is True:
        return Line()
    if not callable(progress):
        raise TypeError(f"progress must be None, a bool or a function (done, total, stage), not {type(progress).__name__}")
    return _Told(progress)
