"""How a long call runs: what it is told, where it runs, how it is stopped.

A call from the main thread runs in a thread of its own while the main thread waits, because Python handles signals in its main thread
alone: Ctrl-C then stops the run at once and not when it is done. A call from another thread runs there.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from typing import Any, Callable, List, Optional, TypeVar

from . import _library, _structs
from ._errors import Error
from ._handles import Handle
from ._workers import Job, Worker
from .metric import Metric
from .progress import ProgressOption, reporter_of

T = TypeVar("T")


class _Run:
    """A gradpath_run with the Python functions that it calls."""

    def __init__(self, metric: Optional[Metric], progress: ProgressOption) -> None:
        self.stop = Handle(_library.opened("gradpath_stop_open"), "stop")
        self.error: Optional[BaseException] = None
        self._metric = metric
        self._reporter = reporter_of(progress)
        self._callbacks: List[Any] = []
        self.arguments = _structs.Run()
        self.arguments.size = ctypes.sizeof(_structs.Run)
        if self._reporter is not None:
            self.arguments.progress = self._keep(_structs.Progress(self._progress))
        if metric is not None:
            name = metric.name.encode("utf-8", "replace")
            self.arguments.metric = self._keep(_structs.Metric(self._judge))
            self.arguments.metric_name = name
            self.arguments.metric_name_length = len(name)
            self.arguments.metric_traits = metric.traits

    def _keep(self, callback: T) -> T:
        self._callbacks.append(callback)
        return callback

    def perform(self, work: Callable[[Any], T]) -> T:
        """Makes the call. What a callback raised is raised in place of what the library says of it."""
        try:
            with self.stop as stop:
                self.arguments.stop = stop
                try:
                    result = work(ctypes.byref(self.arguments))
                except Error:
                    if self.error is None:
                        raise
                if self.error is not None:
                    raise self.error
                return result
        finally:
            self.stop.close()
            self._callbacks.clear()
            if self._reporter is not None:
                self._reporter.close()

    def signal(self) -> None:
        """Stops the call, from any thread."""
        try:
            with self.stop as stop:
                _library.call("gradpath_stop_signal", stop)
        except Error:
            # The call has ended meanwhile.
            pass

    # An exception cannot pass through the library: it is kept, and the library is told to stop.
    def _progress(self, _user: Any, done: int, total: int, stage: Optional[bytes]) -> int:
        try:
            if self._reporter is not None:
                self._reporter.report(done, total, (stage or b"").decode("utf-8", "replace"))
            return 0
        except BaseException as e:  # noqa: B036
            self.error = self.error or e
            return 1

    def _judge(self, _user: Any, pair: int, logits: Any, clean: Any, vocabulary: int, gradient: Any, value: Any) -> int:
        try:
            assert self._metric is not None
            value[0] = self._metric.judge(pair, logits, clean, vocabulary, gradient)
            return 0
        except BaseException as e:  # noqa: B036
            self.error = self.error or e
            return 1


def run(work: Callable[[Any], T], *, metric: Optional[Metric] = None, progress: ProgressOption = None) -> T:
    """Makes a long call of the library.

    Args:
        work: Makes the call with a pointer to its gradpath_run, and gives what it made.
        metric: A metric of the caller's.
        progress: None for a line of our own, False for nothing, or a function (done, total, stage).

    Raises:
        Error: Python is shutting down.
        KeyboardInterrupt: Ctrl-C was pressed. The run has ended.
        Exception: Whatever a callback raised.
    """
    if sys.is_finalizing():
        # No other thread runs any more: neither a worker nor what calls back.
        raise Error("Python is shutting down: no run begins any more")
    _library.library()
    made = _Run(metric, progress)
    if threading.current_thread() is not threading.main_thread():
        return made.perform(work)
    job = Job(lambda: made.perform(work))
    try:
        begun = Worker.start(job)
        if begun:
            job.wait()
    except BaseException:
        made.signal()
        _wait_for_the_end(job)
        raise
    if not begun:
        return made.perform(work)
    made_by: T = job.outcome()
    return made_by


def _wait_for_the_end(job: Job) -> None:
    # Whoever presses Ctrl-C twice gets no run that goes on behind his back: it has been told to stop, and does so soon.
    while not job.lost:
        try:
            if not job.give_up():
                job.wait()
            return
        except BaseException:  # noqa: B036
            continue
