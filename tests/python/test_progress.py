"""How far a run is, told to a function or written on a line."""

import io
import os
import pty

import gradpath
from gradpath.progress import Line, clock_text
from support import Case, TINY, demo, ioi, program


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

    def test_a_terminal_shows_the_line(self):
        # However fast the machine is.
        code = "import gradpath, gradpath.progress\ngradpath.progress._SILENT = 0\nm = gradpath.Model.open('demo', device='cpu')\n" \
            "gradpath.edge_prune(m, gradpath.PromptPairs.task('ioi', n=50), steps=100)\nprint('over')"
        ours, theirs = pty.openpty()
        with program(code, stderr=theirs) as running:
            out, _ = running.communicate(timeout=120)
        os.close(theirs)
        shown = os.read(ours, 1 << 16).decode()
        os.close(ours)
        self.assertEqual((running.returncode, out), (0, "over\n"), shown)
        self.assertRegex(shown, r"\d+%\|#+ *\| \d+/100 \[00:0")
        self.assertTrue(shown.endswith("\r"))

    def test_a_pipe_shows_nothing(self):
        code = "import gradpath\nm = gradpath.Model.open('demo', device='cpu')\n" \
            "gradpath.edge_prune(m, gradpath.PromptPairs.task('ioi', n=50), steps=60)"
        with program(code) as running:
            _, err = running.communicate(timeout=120)
        self.assertEqual((running.returncode, err), (0, ""))
