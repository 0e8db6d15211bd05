"""What is closed, what leaks, how the library is loaded, what a call costs."""

import copy
import gc
import os
import pickle
import time
from pathlib import Path

import gradpath
import numpy as np
from support import Case, TINY, demo_scores, ids, output, program, tiny


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

    def test_every_engine(self):
        code = "import gradpath\nm = gradpath.Model.open('demo', device='cpu')\n" \
            "s = gradpath.score(m, gradpath.PromptPairs.task('ioi', n=6), 'eap')\nprint(*s.matrix.sum(axis=1))"
        expected = demo_scores().matrix.sum(axis=1)
        tried = 0
        for path in sorted((Path(gradpath.__file__).parent / "_lib").glob("libgradpath-*.so")):
            level = path.stem.partition("-")[2]
            with program(code, env={**os.environ, "GRADPATH_CPU": level}) as running:
                out, err = running.communicate(timeout=120)
            if "does not have these instructions" in err:
                continue
            found = np.array(out.split(), float)
            self.assertLess(np.abs(found - expected).max(), 1e-4 * np.abs(expected).max(), level)
            tried += 1
        self.assertGreater(tried, 0)

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
