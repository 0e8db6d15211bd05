"""Metrics that are Python functions."""

import gradpath
import numpy as np
from support import Case, TINY, ids, tiny


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

    def test_it_cannot_begin_a_run(self):
        pairs, scores = ids(), gradpath.Scores.from_edges({"input->logits": 1.0}, 2, 4)
        (self.folder / "pairs.jsonl").write_text('{"clean_ids": [1, 2], "corrupted_ids": [1, 3]}\n')
        pairs.prepare(tiny())
        for begin in (
            lambda *_: gradpath.score(tiny(), pairs, "eap"),
            lambda *_: gradpath.evaluate(tiny(), pairs, scores.top_n(1)),
            lambda *_: gradpath.curve(tiny(), pairs, scores),
            lambda *_: gradpath.acdc(tiny(), pairs),
            lambda *_: gradpath.Model.open(TINY),
            lambda *_: gradpath.PromptPairs.load(self.folder / "pairs.jsonl").prepare(tiny()),
        ):
            with self.raises(gradpath.Busy, "a callback cannot begin"):
                gradpath.score(tiny(), pairs, metric=begin)
            with self.raises(gradpath.Busy, "a callback cannot begin"):
                gradpath.score(tiny(), pairs, progress=begin)
        self.assertEqual(len(gradpath.score(tiny(), pairs).top(1)), 1)

    def test_it_finds_its_pair_s_answers(self):
        pairs = gradpath.PromptPairs([[1, 2, 3], [1, 2, 5], [4, 4]], [[1, 4, 3], [1, 7, 5], [4, 8]], [5, [6, 7], 9], [6, 8, [1, 2]])
        known = pairs.ids(tiny())

        def margin(logits, clean, pair, gradient):
            right, wrong = known[pair].answers, known[pair].wrong_answers
            if gradient is not None:
                gradient[right], gradient[wrong] = 1 / len(right), -1 / len(wrong)
            return float(logits[right].mean() - logits[wrong].mean())

        mine, theirs = (gradpath.score(tiny(), pairs, metric=metric).matrix for metric in (margin, "logit-diff"))
        self.assertLessEqual(float(np.abs(mine - theirs).max()), 1e-6 * float(np.abs(theirs).max()))
