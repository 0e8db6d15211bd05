"""What objects may still do while Python ends."""

from support import Case, TINY, output, program

FINALISER = """
import sys, traceback
import gradpath
model = gradpath.Model.open(sys.argv[1], device="cpu")
words = gradpath.Tokenizer.open("demo")
pairs = gradpath.PromptPairs([[1, 2, 3]], [[1, 4, 3]], [5], [6])
pairs.prepare(model)
scores = gradpath.score(model, pairs, "eap")

class Last:
    def __init__(self):
        self.loop, self.things = self, (gradpath, model, pairs, words, scores, print, BaseException)

    def __del__(self):
        gradpath, model, pairs, words, scores, say, kind = self.things
        for call in (lambda: len(words.decode(words.encode(" Anna"))), lambda: len(scores.top_n(3)), lambda: scores.matrix.shape,
                     lambda: gradpath.score(model, pairs, "eap"), lambda: gradpath.Model.open("demo"), model.close):
            try:
                say(call(), flush=True)
            except kind as e:
                say(type(e).__name__, e, flush=True)

last = Last()
"""

AT_EXIT = """
import atexit, sys, threading
import gradpath
model = gradpath.Model.open(sys.argv[1], device="cpu")
pairs = gradpath.PromptPairs([[1, 2, 3]], [[1, 4, 3]], [5], [6])
if sys.argv[2] == "no thread":
    # As Python 3.12 does at its end.
    def refuse(self):
        raise RuntimeError("can't create new thread at interpreter shutdown")
    gradpath._workers.Worker._idle.clear()
    threading.Thread.start = refuse
told = []
atexit.register(lambda: print(len(gradpath.score(model, pairs, "eap", progress=lambda *_: told.append(1)).top(2)), bool(told)))
"""

LOST = """
import threading
from gradpath import _workers
import gradpath
job = _workers.Job(lambda: None)
job.thread = threading.Thread(target=lambda: None)
job.thread.start()
job.thread.join()
try:
    job.wait()
except gradpath.Error as e:
    print(e)
"""


class Ends(Case):
    def test_a_finaliser_gets_an_error_and_not_a_hang(self):
        said = output(FINALISER, TINY).splitlines()
        refused = "Error Python is shutting down: no run begins any more"
        self.assertEqual(said, ["5", "3", "(11, 27)", refused, refused, "None"])

    def test_functions_at_exit_can_run(self):
        for worker in ("a worker", "no thread"):
            with self.subTest(worker):
                self.assertEqual(output(AT_EXIT, TINY, worker).strip(), "2 True")

    def test_nobody_waits_for_a_thread_that_has_ended(self):
        with program(LOST) as running:
            out, _ = running.communicate(timeout=30)
        self.assertIn("has ended", out)
