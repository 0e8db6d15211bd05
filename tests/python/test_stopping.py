"""Ctrl-C and other signals."""

import signal
import time

import gradpath
from support import Case, demo, ioi, program, tiny


LONG = """
import gradpath, sys, threading, time
model = gradpath.Model.open("demo", device="cpu")
pairs = gradpath.PromptPairs.task("ioi", n=200)
def told(done, total, stage):
    print("running", flush=True)
try:
    gradpath.edge_prune(model, pairs, steps=100000, progress=told)
    print("finished")
except KeyboardInterrupt:
    print("interrupted", threading.active_count() <= 2, flush=True)
print(len(gradpath.score(model, gradpath.PromptPairs.task("ioi", n=3), "eap").top(2)))
print(gradpath._open_handles())
"""


class Stopping(Case):
    def test_control_c(self):
        for presses in (1, 3):
            with self.subTest(presses), program(LONG) as running:
                for _ in range(3):
                    self.assertEqual(running.stdout.readline(), "running\n")
                began = time.monotonic()
                for _ in range(presses):
                    running.send_signal(signal.SIGINT)
                out, err = running.communicate(timeout=60)
                seconds = time.monotonic() - began
                lines = [line for line in out.splitlines() if line != "running"]
                if presses == 1:
                    self.assertEqual(lines[:2], ["interrupted True", "2"], out + err)
                    self.assertLessEqual(int(lines[2]), 5)
                    self.assertEqual(running.returncode, 0, err)
                else:
                    # The second may come when Python is elsewhere; it must not crash in any case.
                    self.assertIn(running.returncode, (0, 1, -signal.SIGINT), err)
                self.assertLess(seconds, 10)
                print(f"Ctrl-C: over after {seconds * 1000:.0f} ms", flush=True)

    def test_another_signal_handler_s_exception(self):
        class Alarm(Exception):
            pass

        def ring(*_):
            raise Alarm

        before = signal.signal(signal.SIGALRM, ring)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with self.raises(Alarm):
                gradpath.edge_prune(demo(), ioi(100), steps=100000, progress=False)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        self.assertEqual(len(gradpath.score(demo(), ioi(), "eap").top(1)), 1)

    def test_signals_stay_python_s(self):
        tiny()
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)
