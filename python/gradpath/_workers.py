"""Threads that long calls of the main thread run in.

A thread that is done waits for the next call, because a new one costs a millisecond.
"""

from __future__ import annotations

import queue
import threading
from typing import Any, Callable, List


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
        threading.Thread(target=self._serve, name="gradpath", daemon=True).start()

    @classmethod
    def start(cls, job: Job) -> None:
        """Hands a job to a worker that has none."""
        try:
            worker = cls._idle.pop()
        except IndexError:
            worker = cls()
        worker._jobs.put(job)

    def _serve(self) -> None:
        while True:
            job = self._jobs.get()
            job.perform()
            # In this order, so that whoever waited for the job finds this worker again.
            Worker._idle.append(self)
            job.ended.set()
            del job
