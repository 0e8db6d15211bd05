"""Threads, forks and spawned processes."""

import subprocess
import sys
import threading

import gradpath
from support import Case, demo, ioi, output


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
