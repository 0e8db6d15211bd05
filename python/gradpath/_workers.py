"""Threads that long calls of the main thread run in.

A thread that is done waits for the next call, because a new one costs a millisecond.
"""

from __future__ import annotations

import queue
import sys
import threading
from typing import Any, Callable, List, Optional

from ._errors import Error

# Seconds between two looks at whether the worker lives.
_LOOK = 1.0


class Job:
    """A function that a worker calls; it ends with a result or an error."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._taken = False
        self._given_up = False
        self._result: Any = None
        self._error: Any = None
        self.ended = threading.Event()
        self.thread: Optional[threading.Thread] = None

    @property
    def lost(self) -> bool:
        """Whether the job can end no more, because its thread does not run any longer."""
        return not self.ended.is_set() and self.thread is not None and (sys.is_finalizing() or not self.thread.is_alive())

    def wait(self) -> None:
        """Waits for the end of the job.

        Raises:
            Error: Its thread has ended before it was done.
        """
        while not self.ended.wait(_LOOK):
            if self.lost:
                raise Error("the thread of the run has ended before the run was done")

    def perform(self) -> None:
        """Calls the function, in the worker. The job has not ended before ``ended`` is set."""
        with self._lock:
            if self._given_up:
                return
            self._taken = True
        try:
            self._result = self._work()
        except BaseException as e:  # noqa: B036
            self._error = e

    def give_up(self) -> bool:
        """Sees to it that a job which has not begun never does. False where it has begun."""
        with self._lock:
            self._given_up = not self._taken
            return self._given_up

    def outcome(self) -> Any:
        """The result; raises the error where there is one."""
        error, self._error = self._error, None
        if error is not None:
            raise error
        result, self._result = self._result, None
        return result


class Worker:
    """A thread that performs one job after the other."""

    _idle: List["Worker"] = []

    def __init__(self) -> None:
        self._jobs: "queue.SimpleQueue[Job]" = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="gradpath", daemon=True)
        self._thread.start()

    @classmethod
    def start(cls, job: Job) -> bool:
        """Hands a job to a worker that has none. False where no thread can be started, as at the end of Python."""
        try:
            worker = cls._idle.pop()
        except IndexError:
            try:
                worker = cls()
            except RuntimeError:
                return False
        job.thread = worker._thread
        worker._jobs.put(job)
        return True

    def _serve(self) -> None:
        while True:
            job = self._jobs.get()
            job.perform()
            # In this order, so that whoever waited for the job finds this worker again.
            Worker._idle.append(self)
            job.ended.set()
            del job
