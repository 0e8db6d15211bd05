"""Other libraries' graphs, weights, names and folders, with stand-ins in the place of the libraries."""

import gzip
import json
import re
import sys
import types

import gradpath
import numpy as np
from gradpath.interchange import eap_ig, mib, names, transformer_lens
from support import Case, DATA, TINY, demo_scores, ids, tensors, tiny


class EapGraph:
    """What of the EAP-IG library's Graph matters here: matrices that are read from its files by the names of their edges."""

    @classmethod
    def from_json(cls, path):
        with open(path) as file:
            rows = json.load(file)
        made = cls()
        made.cfg = types.SimpleNamespace(**rows["cfg"])
        layers, heads = made.cfg.n_layers, made.cfg.n_heads
        made.scores = np.zeros((1 + layers * (heads + 1), layers * (3 * heads + 1) + 1), np.float32)
        made.in_graph = np.zeros(made.scores.shape, bool)
        made.nodes = {name: row["in_graph"] for name, row in rows["nodes"].items()}
        for name, edge in rows["edges"].items():
            place = cls._place(name, layers, heads)
            made.scores[place], made.in_graph[place] = edge["score"], edge["in_graph"]
        return made

    @staticmethod
    def _place(name, layers, heads):
        writer, reader = name.split("->")
        row = 0
        if writer != "input":
            layer, *head = map(int, re.findall(r"\d+", writer))
            row = 1 + layer * (heads + 1) + (head[0] if head else heads)
        if reader == "logits":
            return row, -1
        layer, *head = map(int, re.findall(r"\d+", reader))
        if not head:
            return row, layer * (3 * heads + 1) + 3 * heads
        return row, layer * (3 * heads + 1) + "qkv".index(reader[-2]) * heads + head[0]


class EapIg(Case):
    def test_there_and_back(self):
        scores = demo_scores()
        graph = eap_ig.to_graph(scores, EapGraph)
        self.assertTrue((graph.scores == scores.matrix).all())
        self.assertTrue((eap_ig.scores_from_graph(graph).matrix == scores.matrix).all())
        circuit = scores.top_n(60).prune()
        graph = eap_ig.to_graph(circuit, EapGraph)
        self.assertTrue((graph.in_graph == circuit.matrix).all())
        self.assertTrue(graph.nodes["logits"])
        again = eap_ig.circuit_from_graph(graph)
        self.assertEqual(again.edges, circuit.edges)
        self.assertTrue((again.scores.matrix == scores.matrix).all())

    def test_where_the_library_is_installed_its_class_is_taken(self):
        package, module = types.ModuleType("eap"), types.ModuleType("eap.graph")
        module.Graph = EapGraph
        sys.modules.update({"eap": package, "eap.graph": module})
        try:
            self.assertIsInstance(eap_ig.to_graph(demo_scores()), EapGraph)
        finally:
            del sys.modules["eap"], sys.modules["eap.graph"]
        with self.raises(ImportError):
            eap_ig.to_graph(demo_scores())

    def test_cells_that_are_no_edge_do_not_matter(self):
        graph = eap_ig.to_graph(demo_scores(), EapGraph)
        graph.cfg = vars(graph.cfg)
        graph.in_graph[:] = True
        self.assertEqual(len(eap_ig.circuit_from_graph(graph)), 1519)
        graph.cfg["parallel_attn_mlp"] = True
        with self.raises(gradpath.ArgumentError, "beside each other"):
            eap_ig.scores_from_graph(graph)
        with self.raises(TypeError, "EAP-IG"):
            eap_ig.scores_from_graph(demo_scores())

    def test_a_published_file(self):
        path = self.folder / "ioi.json"
        path.write_bytes(gzip.decompress((DATA / "circuits" / "ioi-eap-ig.json.gz").read_bytes()))
        scores, circuit = gradpath.Scores.load(path), gradpath.Circuit.load(path)
        self.assertEqual((scores.graph.n_edges, len(circuit)), (32491, 756))
        graph = EapGraph.from_json(path)
        self.assertTrue((graph.scores == scores.matrix).all())
        self.assertTrue((graph.in_graph == circuit.matrix).all())


class Hooked:
    """A TransformerLens model, made of the tiny one by the table of the module."""

    def __init__(self, **changes):
        given, (h, d) = tensors(), (4, 32)
        self.tensors = {
            "embed.W_E": given["wte.weight"], "pos_embed.W_pos": given["wpe.weight"], "ln_final.w": given["ln_f.weight"],
            "ln_final.b": given["ln_f.bias"], "unembed.W_U": given["wte.weight"].T, "unembed.b_U": np.zeros(61, np.float32),
        }
        for layer in range(2):
            hf, tl = f"h.{layer}.", f"blocks.{layer}."
            for i, x in enumerate("QKV"):
                weight = given[hf + "attn.c_attn.weight"][:, i * d:(i + 1) * d]
                # Head by head, as TransformerLens's own converter does it.
                self.tensors[f"{tl}attn.W_{x}"] = np.stack([weight[:, n * 8:(n + 1) * 8] for n in range(h)])
                self.tensors[f"{tl}attn.b_{x}"] = given[hf + "attn.c_attn.bias"][i * d:(i + 1) * d].reshape(h, 8)
            weight = given[hf + "attn.c_proj.weight"]
            self.tensors.update({
                f"{tl}attn.W_O": np.stack([weight[n * 8:(n + 1) * 8] for n in range(h)]),
                f"{tl}attn.b_O": given[hf + "attn.c_proj.bias"], f"{tl}ln1.w": given[hf + "ln_1.weight"],
                f"{tl}ln1.b": given[hf + "ln_1.bias"], f"{tl}ln2.w": given[hf + "ln_2.weight"], f"{tl}ln2.b": given[hf + "ln_2.bias"],
                f"{tl}mlp.W_in": given[hf + "mlp.c_fc.weight"], f"{tl}mlp.b_in": given[hf + "mlp.c_fc.bias"],
                f"{tl}mlp.W_out": given[hf + "mlp.c_proj.weight"], f"{tl}mlp.b_out": given[hf + "mlp.c_proj.bias"],
                f"{tl}attn.mask": np.ones((32, 32), bool), f"{tl}attn.IGNORE": np.array(-1e5),
            })
        self.cfg = types.SimpleNamespace(**{
            "n_layers": 2, "n_heads": 4, "d_model": 32, "d_head": 8, "d_mlp": 128, "n_ctx": 32, "d_vocab": 61, "act_fn": "gelu_new",
            "eps": 1e-5, "normalization_type": "LN", "positional_embedding_type": "standard", **changes})

    def state_dict(self):
        return self.tensors


class TransformerLens(Case):
    def test_the_same_model(self):
        expected = gradpath.score(tiny(), ids(), "eap-ig").matrix
        hooked = Hooked()
        ways = {"a model": (hooked,), "a config": (hooked.cfg, hooked.tensors), "a dict": (vars(hooked.cfg), hooked.tensors)}
        for name, arguments in ways.items():
            with self.subTest(name), gradpath.Model.from_transformer_lens(*arguments, name="lens") as model:
                self.assertEqual(model.name, "lens")
                self.assertTrue((gradpath.score(model, ids(), "eap-ig").matrix == expected).all())
        config, arrays = transformer_lens.to_hugging_face(hooked)
        self.assertTrue(config["tie_word_embeddings"])
        self.assertEqual(set(arrays), set(tensors()))
        self.assertTrue(all((arrays[k] == v).all() for k, v in tensors().items()))

    def test_a_head_of_its_own(self):
        hooked = Hooked()
        hooked.tensors["unembed.W_U"] = hooked.tensors["unembed.W_U"] * 2
        hooked.tensors["unembed.b_U"] = np.arange(61, dtype=np.float32)
        config, arrays = transformer_lens.to_hugging_face(hooked)
        self.assertFalse(config["tie_word_embeddings"])
        self.assertEqual(arrays["lm_head.weight"].shape, (61, 32))
        with gradpath.Model.from_weights(config, arrays) as model:
            self.assertEqual(len(gradpath.score(model, ids(), "eap").top(1)), 1)

    def test_what_is_refused(self):
        for words, changes in [
            (("fold_ln=False",), {"normalization_type": "LNPre"}), (("normalization_type",), {"normalization_type": "RMS"}),
            (("positional_embedding_type",), {"positional_embedding_type": "rotary"}), (("act_fn",), {"act_fn": "silu"}),
            (("parallel_attn_mlp",), {"parallel_attn_mlp": True}), (("heads of width",), {"d_head": 9}), (("n_ctx",), {"n_ctx": None}),
        ]:
            with self.subTest(words), self.raises(gradpath.ArgumentError, *words):
                gradpath.Model.from_transformer_lens(Hooked(**changes))
        for kind, words, name, value in [
            (gradpath.ArgumentError, ("fold_ln=False",), "ln_final.w", None),
            (gradpath.InputError, ("blocks.1.attn.W_K", "no such tensor"), "blocks.1.attn.W_K", None),
            (gradpath.InputError, ("blocks.1.attn.W_K", "[4, 32, 8] is needed"), "blocks.1.attn.W_K", np.ones((4, 8, 32))),
            (gradpath.InputError, ("blocks.0.extra",), "blocks.0.extra", np.ones(3)),
        ]:
            hooked = Hooked()
            hooked.tensors[name] = value
            if value is None:
                del hooked.tensors[name]
            with self.subTest(words), self.raises(kind, *words):
                gradpath.Model.from_transformer_lens(hooked)
        with self.raises(TypeError, "HookedTransformer"):
            gradpath.Model.from_transformer_lens(3)


class Index:
    """ACDC's TorchIndex."""

    def __init__(self, *parts):
        self.hashable_tuple = parts


class Names(Case):
    KNOWN = [
        ("input->a0.h1<q>", ("blocks.0.hook_q_input", (None, None, 1), "blocks.0.hook_resid_pre", (None,)), "Resid Start->A0.1.Q"),
        ("a0.h3->m0", ("blocks.0.hook_mlp_in", (None,), "blocks.0.attn.hook_result", (None, None, 3)), "A0.3->MLP 0"),
        ("m0->a11.h10<v>", ("blocks.11.hook_v_input", (None, None, 10), "blocks.0.hook_mlp_out", (None,)), "MLP 0->A11.10.V"),
        ("a9.h9->logits", ("blocks.11.hook_resid_post", (None,), "blocks.9.attn.hook_result", (None, None, 9)), "A9.9->Resid End"),
        ("m3->m5", ("blocks.5.hook_mlp_in", (None,), "blocks.3.hook_mlp_out", (None,)), "MLP 3->MLP 5"),
    ]

    def test_known_names(self):
        for ours, acdc, auto in self.KNOWN:
            with self.subTest(ours):
                self.assertEqual((names.to_acdc(ours, 12), names.to_auto_circuit(ours)), (acdc, auto))
                self.assertEqual((names.from_acdc(acdc, 12), names.from_auto_circuit(auto)), (ours, ours))
                wrapped = (acdc[0], Index(*acdc[1]), acdc[2], Index(*acdc[3]))
                self.assertEqual(names.from_acdc(wrapped, 12), ours)
        older = ("blocks.0.hook_resid_mid", (None,), "blocks.0.attn.hook_result", (None, None, 3))
        self.assertEqual(names.from_acdc(older, 12), "a0.h3->m0")

    def test_every_edge_there_and_back(self):
        graph = gradpath.Graph.of(3, 2)
        edges = names.all_edges(graph)
        self.assertEqual(len(edges), graph.n_edges)
        self.assertEqual([names.from_acdc(e, 3) for e in names.acdc_edges(edges, 3)], edges)
        self.assertEqual([names.from_auto_circuit(names.to_auto_circuit(e)) for e in edges], edges)
        self.assertEqual(len(set(names.acdc_edges(edges, 3))), len(edges))

    def test_edges_inside_of_heads_are_none(self):
        inside = [
            ("blocks.1.attn.hook_q", (None, None, 1), "blocks.1.hook_q_input", (None, None, 1)),
            ("blocks.1.attn.hook_result", (None, None, 1), "blocks.1.attn.hook_q", (None, None, 1)),
            ("blocks.1.hook_mlp_out", (None,), "blocks.1.hook_mlp_in", (None,)),
        ]
        self.assertEqual([names.from_acdc(e, 12) for e in inside], [None] * 3)
        circuit = names.circuit_from_acdc(inside + [self.KNOWN[0][1]], 12, 12)
        self.assertEqual(circuit.edges, ["input->a0.h1<q>"])
        self.assertEqual(names.circuit_from_auto_circuit([k[2] for k in self.KNOWN], 12, 12).n_edges, len(self.KNOWN))

    def test_what_is_no_name(self):
        for call in (
            lambda: names.to_acdc("input", 12), lambda: names.to_acdc("logits->m0", 12), lambda: names.to_acdc("m0->a1.h2", 12),
            lambda: names.to_auto_circuit("a0.h1<q>->m1"), lambda: names.to_auto_circuit("a0.h1->a1.h1"),
            lambda: names.from_auto_circuit("A0.1.Q->MLP 1"), lambda: names.from_auto_circuit("A0.1->A1.1"),
            lambda: names.from_auto_circuit("Resid End->MLP 1"), lambda: names.from_auto_circuit("MLP 1"),
            lambda: names.from_acdc(("a", (None,), "b"), 12),
            lambda: names.from_acdc(("blocks.3.hook_resid_post", (None,), "blocks.0.hook_resid_pre", (None,)), 12),
            lambda: names.from_acdc(("blocks.3.hook_q_input", (None,), "blocks.0.hook_resid_pre", (None,)), 12),
            lambda: names.from_acdc(("blocks.3.hook_q_input", (None, None, 1), "hook_pos_embed", (None,)), 12),
            lambda: names.from_acdc(("blocks.3.hook_q_input", (None, None, 1), "hook_other", (None,)), 12),
        ):
            with self.raises(gradpath.ArgumentError):
                call()


class Mib(Case):
    def test_scores(self):
        target = mib.write_submission(self.folder, demo_scores())
        self.assertEqual([p.relative_to(self.folder).as_posix() for p in target.iterdir()], ["ioi_gpt2/importances.json"])
        self.assertTrue((mib.read_submission(target).matrix == demo_scores().matrix).all())
        with self.raises(gradpath.InputError, "not empty"):
            mib.write_submission(self.folder, demo_scores())

    def test_nine_circuits(self):
        circuits = mib.cut(demo_scores())
        target = mib.write_submission(self.folder, circuits[::-1], "ioi", "demo")
        self.assertEqual(sorted(p.stem for p in target.iterdir()), sorted(f"{p:g}" for p in mib.PERCENTS))
        again = mib.read_submission(target)
        self.assertEqual([len(c) for c in again], [len(c) for c in circuits])
        for percent, circuit in zip(mib.PERCENTS, again):
            self.assertLessEqual(len(circuit), percent / 100 * 1519)
        self.assertEqual(EapGraph.from_json(target / "50.json").in_graph.sum(), len(circuits[-1]))

    def test_the_sizes_are_those_of_the_benchmark(self):
        # int(p E) for GPT-2 small.
        self.assertEqual([mib._most(p, 32491) for p in mib.PERCENTS], [32, 64, 162, 324, 649, 1624, 3249, 6498, 16245])

    def test_what_is_refused(self):
        circuits = mib.cut(demo_scores())
        with self.raises(gradpath.ArgumentError, "8 circuits"):
            mib.write_submission(self.folder, circuits[1:])
        with self.raises(gradpath.ArgumentError, "0.5 percent are at most 7"):
            mib.write_submission(self.folder, [demo_scores().top_n(30)] + circuits[1:])
        with self.raises(gradpath.ArgumentError, "task"):
            mib.write_submission(self.folder, circuits, task="../ioi")
        self.assertEqual(list(self.folder.iterdir()), [])
        with self.raises(gradpath.InputError, "no .json"):
            mib.read_submission(self.folder)
        (self.folder / "importances.pt").write_bytes(b"")
        with self.raises(gradpath.InputError, "from_pt"):
            mib.read_submission(self.folder)


class Safetensors(Case):
    def test_scores_by_their_bytes(self):
        path = self.folder / "scores.safetensors"
        demo_scores().save(path)
        found = tensors(path)
        self.assertTrue(any(v.shape == (37, 101) and (v == demo_scores().matrix).all() for v in found.values() if v.dtype == np.float32))

    def test_weights_by_their_bytes(self):
        self.assertEqual(tensors(TINY / "model.safetensors")["wte.weight"].shape, (61, 32))
