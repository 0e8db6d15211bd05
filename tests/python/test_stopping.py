"""Ctrl-C and other signals."""

import itertools
import json
import math
import signal
import time
from unittest import mock

import gradpath
from gradpath import _runs
from support import TINY, Case, demo, ioi, program, tiny

LAYER = {"ln_1.weight": [1], "ln_1.bias": [1], "ln_2.weight": [1], "ln_2.bias": [1], "attn.c_attn.weight": [1, 3], "attn.c_attn.bias": [3],
         "attn.c_proj.weight": [1, 1], "attn.c_proj.bias": [1], "mlp.c_fc.weight": [1, 4], "mlp.c_fc.bias": [4],
         "mlp.c_proj.weight": [4, 1], "mlp.c_proj.bias": [1]}


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

    def test_reading_a_model(self):
        # Gigabytes of zeros, which take no room on the disk.
        width, count = 1024, 32
        shape = {"n_layer": count, "n_head": 8, "n_embd": width, "n_positions": 1024, "vocab_size": 1000}
        (self.folder / "config.json").write_text(json.dumps(shape))
        sizes = {"wte.weight": [1000, width], "wpe.weight": [1024, width], "ln_f.weight": [width], "ln_f.bias": [width]}
        for layer, (name, size) in itertools.product(range(count), LAYER.items()):
            sizes[f"h.{layer}.{name}"] = [width * n for n in size]
        header, at = {}, 0
        for name, size in sizes.items():
            end = at + 4 * math.prod(size)
            header[name] = {"dtype": "F32", "shape": size, "data_offsets": [at, end]}
            at = end
        text = json.dumps(header).encode()
        with open(self.folder / "model.safetensors", "wb") as stream:
            stream.write(len(text).to_bytes(8, "little") + text)
            stream.truncate(8 + len(text) + at)
        handles = gradpath._open_handles()
        seconds = self._interrupted(lambda: gradpath.Model.open(self.folder, device="cpu"), 0.2)
        print(f"a model of {at >> 20} MiB: over after {seconds * 1000:.0f} ms", flush=True)
        self.assertLess(seconds, 1)
        self.assertLessEqual(gradpath._open_handles(), handles + 1)

    def test_reading_prompts(self):
        line = '{"clean_ids": [1, 2, 3], "corrupted_ids": [1, 4, 3], "answer_ids": [5], "wrong_answer_ids": [6]}\n'
        (self.folder / "pairs.jsonl").write_text(line * 400_000)
        pairs = gradpath.PromptPairs.load(self.folder / "pairs.jsonl")
        seconds = self._interrupted(lambda: pairs.prepare(tiny()), 0.1)
        print(f"400,000 pairs: over after {seconds * 1000:.0f} ms", flush=True)
        self.assertLess(seconds, 1)

    def test_reading_is_told_to_stop(self):
        (self.folder / "pairs.jsonl").write_text('{"clean_ids": [1, 2], "corrupted_ids": [1, 3]}\n' * 3)
        pairs = gradpath.PromptPairs.load(self.folder / "pairs.jsonl")
        perform = _runs._Run.perform

        def stopped(run, work):
            run.signal()
            return perform(run, work)

        with mock.patch.object(_runs._Run, "perform", stopped):
            for call in (
                lambda: gradpath.Model.open(TINY), lambda: pairs.prepare(tiny()), lambda: pairs.ids(tiny()),
                lambda: gradpath.PromptPairs.task("ioi", n=3).prepare(demo()),
            ):
                with self.raises(gradpath.Stopped):
                    call()
        self.assertEqual(pairs.describe(tiny())["n_pairs"], 3)

    def _interrupted(self, call, after):
        # How long a call goes on that Ctrl-C interrupts.
        rung = []

        def ring(*_):
            rung.append(time.monotonic())
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGALRM, ring)
        try:
            signal.setitimer(signal.ITIMER_REAL, after)
            with self.raises(KeyboardInterrupt):
                call()
            return time.monotonic() - rung[0]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def test_signals_stay_python_s(self):
        tiny()
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)
