"""Metrics, progress, Ctrl-C, threads, forks, closing, overhead."""

import gc
import io
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

import gradpath
import numpy as np
from gradpath.progress import Line, clock_text
from support import Case, TINY, demo, demo_scores, ids, ioi, output, program, tiny


class Metrics(Case):
    def test_as_the_built_in_metric(self):
        right, wrong = 5, 6

        def margin(logits, clean, pair, gradient):
            if gradient is not None:
                gradient[right], gradient[wrong] = 1, -1
            return float(logits[right]) - float(logits[wrong])

        for method in ("eap", "eap-ig", "exact", "eap-gp"):
            with self.subTest(method):
                mine = gradpath.score(tiny(), ids(), method, metric=margin)
                theirs = gradpath.score(tiny(), ids(), method, metric="logit-diff")
                # The gradients are the same numbers; values come from logits that are subtracted elsewhere.
                largest = float(np.abs(theirs.matrix - mine.matrix).max())
                self.assertLessEqual(largest, 1e-6 * float(np.abs(theirs.matrix).max()) if method == "exact" else 0)
                self.assertEqual(mine.provenance["metric"], "margin")
        circuit = mine.top_n(40)
        self.assertAlmostEqual(
            gradpath.evaluate(tiny(), ids(), circuit, metric=margin).faithfulness,
            gradpath.evaluate(tiny(), ids(), circuit, metric="logit-diff").faithfulness, places=5)

    def test_loss_and_distance(self):
        def squared(logits, clean, pair, gradient):
            if gradient is not None:
                gradient[:] = 2 * (logits - clean)
            return float(((logits - clean) ** 2).sum())

        metric = gradpath.Metric(squared, "l2", loss=True, distance=True)
        scores = gradpath.score(tiny(), ids(), "eap-ig", metric=metric)
        self.assertEqual((scores.provenance["metric"], repr(metric)), ("l2", "Metric(l2)"))
        self.assertGreater(np.abs(scores.matrix).max(), 0)
        with self.raises(TypeError, "function"):
            gradpath.Metric(3)

    def test_what_it_is_given(self):
        seen = []

        def keep(logits, clean, pair, gradient):
            seen.append((logits, clean, pair, gradient))
            return 0.0

        gradpath.score(tiny(), ids(3), "eap-ig", metric=keep, steps=2)
        self.assertEqual({pair for _, _, pair, _ in seen}, {0, 1, 2})
        logits, clean, _, _ = seen[0]
        self.assertEqual((logits.dtype, logits.shape, clean.shape), (np.float32, (61,), (61,)))
        # Copies, so that what is kept stays what it was.
        self.assertTrue(logits.flags.owndata and np.isfinite(logits).all())

    def test_what_it_raises(self):
        class Mine(Exception):
            pass

        def broken(logits, clean, pair, gradient):
            raise Mine(f"pair {pair}")

        def misshapen(logits, clean, pair, gradient):
            if gradient is not None:
                gradient[:] = np.ones(3)
            return 0.0

        with self.raises(Mine, "pair"):
            gradpath.score(tiny(), ids(), metric=broken)
        with self.raises(gradpath.ArgumentError, "gave NaN at pair"):
            gradpath.score(tiny(), ids(), metric=lambda *_: float("nan"))
        with self.raises(TypeError, "float"):
            gradpath.score(tiny(), ids(), metric=lambda *_: None)
        with self.raises(ValueError):
            gradpath.score(tiny(), ids(), metric=misshapen)
        self.assertEqual(len(gradpath.score(tiny(), ids()).top(1)), 1)

    def test_it_may_call_the_library(self):
        def nested(logits, clean, pair, gradient):
            gradpath.Graph(2, 4)
            tiny().describe()
            return 1.0

        gradpath.score(tiny(), ids(), metric=nested)


class Progress(Case):
    def test_a_function(self):
        told = []
        gradpath.score(demo(), ioi(), "exact", progress=lambda *a: told.append(a))
        self.assertGreater(len(told), 1)
        done = [d for d, _, _ in told]
        self.assertEqual(done, sorted(done))
        self.assertTrue(all(isinstance(s, str) and d <= t for d, t, s in told))

    def test_what_a_function_raises(self):
        def stop(done, total, stage):
            raise KeyError("enough")

        with self.raises(KeyError, "enough"):
            gradpath.score(demo(), ioi(), "exact", progress=stop)
        self.assertEqual(len(gradpath.score(demo(), ioi(), "eap").top(1)), 1)

    def test_the_line(self):
        now = [0.0]
        stream = io.StringIO()
        line = Line(stream, lambda: now[0])
        line.report(1, 10, "edges")
        self.assertEqual(stream.getvalue(), "")
        now[0] = 1.5
        line.report(5, 10, "edges")
        self.assertIn("edges:  50%|############", stream.getvalue())
        self.assertIn("5/10 [00:01<00:01]", stream.getvalue())
        length = len(stream.getvalue())
        line.report(6, 10, "edges")
        self.assertEqual(len(stream.getvalue()), length)
        line.close()
        self.assertTrue(stream.getvalue().endswith("\r"))
        self.assertEqual(stream.getvalue().count("\n"), 0)
        self.assertEqual((clock_text(83), clock_text(3683)), ("01:23", "1:01:23"))
        self.assertIn("[00:02]", Line.text(0, 0, "reading", 2))

    def test_a_short_run_says_nothing(self):
        code = "import gradpath, sys\nm = gradpath.Model.open(sys.argv[1])\n" \
            "gradpath.score(m, gradpath.PromptPairs([[1, 2]], [[1, 3]], [4], [5]), progress=True)"
        with program(code, TINY) as running:
            _, err = running.communicate(timeout=60)
        self.assertEqual((running.returncode, err), (0, ""))


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


class Threads(Case):
    def test_two_devices_in_two_threads(self):
        expected = gradpath.score(demo(), ioi(), "eap-ig").matrix
        results, errors = [], []

        def work(name):
            try:
                with gradpath.Model.open("demo", device="cpu", memory=name) as model:
                    for _ in range(3):
                        results.append(gradpath.score(model, ioi(), "eap-ig", progress=lambda *_: None).matrix)
            except BaseException as e:
                errors.append(e)

        threads = [threading.Thread(target=work, args=(f"{n}GiB",)) for n in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(len(results), 6)
        self.assertTrue(all((r == expected).all() for r in results))

    def test_one_device_takes_one_run(self):
        running, errors = threading.Event(), []
        stop = threading.Event()

        def told(*_):
            running.set()
            if stop.is_set():
                raise KeyError("done")

        def work():
            try:
                gradpath.edge_prune(demo(), ioi(50), steps=100000, progress=told)
            except KeyError:
                pass
            except BaseException as e:
                errors.append(e)

        thread = threading.Thread(target=work)
        thread.start()
        self.assertTrue(running.wait(30))
        try:
            with self.raises(gradpath.Busy):
                gradpath.score(demo(), ioi(), "eap")
            # Closing waits for the run's end in the background, so that nothing points to what is gone.
            scores = gradpath.Scores.from_edges({}, 4, 8)
            scores.close()
        finally:
            stop.set()
            thread.join()
        self.assertEqual(errors, [])
        self.assertEqual(len(gradpath.score(demo(), ioi(), "eap").top(1)), 1)

    def test_a_model_that_is_closed_while_it_runs(self):
        model = gradpath.Model.open("demo", device="cpu", memory="3GiB")
        scores = gradpath.score(model, ioi(), "exact", progress=lambda *_: model.close())
        self.assertTrue(model.closed)
        self.assertEqual(len(scores.top(1)), 1)
        with self.raises(gradpath.HandleError, "the model is closed"):
            gradpath.score(model, ioi())

    def test_many_at_once(self):
        errors = []

        def work():
            try:
                for _ in range(200):
                    with gradpath.Scores.from_edges({"input->logits": 1.0}, 2, 4) as scores:
                        assert scores.matrix.sum() == 1
                        assert len(scores.top_n(1)) == 1
            except BaseException as e:
                errors.append(e)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(errors, [])


FORK = """
import os, sys, warnings
import gradpath
if sys.argv[1] == "used":
    kept = gradpath.Scores.from_edges({"input->logits": 1.0}, 2, 4)
    matrix = kept.matrix
child = os.fork()
if child == 0:
    try:
        if sys.argv[1] == "used":
            for call in (gradpath.library_version, gradpath.methods, kept.describe, lambda: kept["input->logits"], lambda: kept.top_n(3),
                         lambda: gradpath.Model.open("demo"), lambda: gradpath.Graph(3, 3)):
                try:
                    call()
                    print("no error from", call)
                except gradpath.Error as e:
                    assert "forked" in str(e), e
                except KeyError as e:
                    print("KeyError", e)
            kept.close()
            print("refused", float(matrix.sum()))
        else:
            print("used", len(gradpath.Scores.from_edges({}, 2, 4).top(1)))
    except BaseException as e:
        print("failed", repr(e))
    sys.stdout.flush()
    os._exit(0)
_, status = os.waitpid(child, 0)
print("status", status)
print("parent", gradpath.library_version()[:1])
"""


class Forks(Case):
    def test_a_child_is_told(self):
        self.assertEqual(output(FORK, "used").splitlines(), ["refused 1.0", "status 0", "parent 0"])

    def test_a_child_may_be_the_first_to_use_it(self):
        self.assertEqual(output(FORK, "unused").splitlines(), ["used 1", "status 0", "parent 0"])

    def test_spawned_processes(self):
        code = "import multiprocessing as m, gradpath\n" \
            "def f(n): return len(gradpath.Graph(n, 4).writers)\n" \
            "if __name__ == '__main__':\n" \
            "    gradpath.Graph(2, 4)\n" \
            "    with m.get_context('spawn').Pool(1) as pool: print(pool.map(f, [2, 3]))\n"
        path = self.folder / "spawned.py"
        path.write_text(code)
        done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=120, check=True)
        self.assertEqual(done.stdout, "[11, 16]\n")


class Closing(Case):
    def test_closed_objects(self):
        model = gradpath.Model.open(TINY)
        pairs = ids()
        scores = gradpath.score(model, pairs, "eap")
        circuit = scores.top_n(5)
        matrix, first = scores.matrix, scores.top(1)
        device = gradpath.Device.open("cpu", threads=2)
        for thing in (model, scores, circuit, device):
            thing.close()
            thing.close()
            self.assertTrue(thing.closed)
            self.assertIn("closed", repr(thing))
        # An array keeps the memory that it looks at.
        self.assertEqual(abs(float(matrix.flat[np.abs(matrix).argmax()])), abs(first[0].score))
        for call in (
            lambda: gradpath.score(model, pairs), lambda: model.name, model.describe, lambda: model.tokenizer, model.__enter__,
            lambda: scores.matrix, lambda: scores["input->logits"], lambda: scores.top_n(2), lambda: scores.top(2),
            lambda: scores.save(self.folder / "a.json"), lambda: circuit.edges, lambda: circuit.prune(), lambda: len(circuit),
            lambda: circuit.matrix, lambda: circuit.scores, lambda: gradpath.evaluate(tiny(), pairs, circuit),
            lambda: gradpath.curve(tiny(), pairs, scores), lambda: gradpath.acdc(tiny(), pairs, scores=scores),
            lambda: gradpath.Model.open(TINY, device=device), lambda: pairs.describe(model),
        ):
            with self.raises(gradpath.HandleError, "closed"):
                call()

    def test_no_leaks(self):
        pairs = ids()
        gradpath.score(tiny(), pairs, "eap")

        def work():
            with gradpath.Model.open(TINY, device="cpu") as model:
                scores = gradpath.score(model, pairs, "eap", metric=lambda *_: 1.0)
                circuit = scores.top_n(5).prune()
                gradpath.evaluate(model, pairs, circuit)
                gradpath.curve(model, pairs, scores)
                gradpath.acdc(model, pairs, tau=10.0)
                kept = [scores.matrix[:1], circuit.matrix, circuit.scores.matrix]
                with self.raises(gradpath.Error):
                    gradpath.score(model, pairs, "nothing")
                del kept

        work()
        gc.collect()
        before = gradpath._open_handles()
        for _ in range(20):
            work()
        gc.collect()
        self.assertEqual(gradpath._open_handles(), before)

    def test_memory_goes_with_its_last_array(self):
        gc.collect()
        before = gradpath._open_handles()
        scores = gradpath.Scores.from_edges({"input->logits": 1.0}, 2, 4)
        view = scores.matrix[0]
        scores.close()
        self.assertEqual(gradpath._open_handles(), before + 1)
        self.assertEqual(view.sum(), 1)
        del view
        gc.collect()
        self.assertEqual(gradpath._open_handles(), before)

    def test_pickling_is_refused(self):
        import copy
        import pickle

        for thing in (tiny(), demo_scores(), demo_scores().top_n(3)):
            with self.raises(TypeError, "cannot be pickled"):
                pickle.dumps(thing)
            with self.raises(TypeError, "cannot be pickled"):
                copy.deepcopy(thing)

    def test_made_up_handles(self):
        from gradpath import _library

        for handle in (1, 123456789, (1 << 63) - 1):
            with self.raises(gradpath.HandleError):
                _library.text("gradpath_describe", handle)

    def test_the_end_of_a_process(self):
        for code in (
            "import gradpath; m = gradpath.Model.open('demo'); a = gradpath.Graph(2, 2)",
            "import gradpath, atexit; s = gradpath.Scores.from_edges({}, 2, 4); v = s.matrix; atexit.register(lambda: print(v.sum()))",
            "import gradpath, sys; s = gradpath.Scores.from_edges({}, 2, 4); sys.modules['kept'] = s",
        ):
            with self.subTest(code):
                output(code)


class Loading(Case):
    def test_a_library_that_is_not_there(self):
        code = "import gradpath\ntry: gradpath.methods()\nexcept gradpath.Error as e: print(e)"
        for value, word in (("/nowhere/libgradpath.so", "no such file"), (os.path.realpath("/bin/true"), "cannot be loaded")):
            self.assertIn(word, output(code, env={**os.environ, "GRADPATH_LIBRARY": value}))

    def test_an_engine_that_cannot_be(self):
        code = "import gradpath\ntry: gradpath.methods()\nexcept gradpath.Error as e: print(e)"
        self.assertIn("GRADPATH_CPU", output(code, env={**os.environ, "GRADPATH_CPU": "pentium"}))


class Overhead(Case):
    def test_of_a_call(self):
        from gradpath import _library, _values

        pairs = ids(1)
        options = _values.options(method="eap")
        prompts = pairs.prepare(tiny())
        gradpath.score(tiny(), pairs, "eap")

        def bare():
            with tiny()._handle as model, prompts._handle as on:
                _library.call("gradpath_close", _library.opened("gradpath_score", model, on, *options, None))

        def best(call, times=200):
            samples = []
            for _ in range(5):
                began = time.perf_counter()
                for _ in range(times):
                    call()
                samples.append((time.perf_counter() - began) / times * 1e6)
            return min(samples)

        describe, whole, below = best(tiny().describe), best(lambda: gradpath.score(tiny(), pairs, "eap")), best(bare)
        print(f"microseconds: describe {describe:.0f}, the smallest score {whole:.0f}, of it the C library {below:.0f}", flush=True)
        self.assertLess(describe, 1000)
        self.assertLess(whole - below, 1000)


if __name__ == "__main__":
    unittest.main()
