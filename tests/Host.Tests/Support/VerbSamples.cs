namespace Gradpath.Host.Tests;

/// <summary>A short run of every verb on a tiny model: what tests about all verbs run.</summary>
internal static class VerbSamples
{
    /// <summary>The verbs that have a sample.</summary>
    public static IEnumerable<string> Verbs => s_samples.Keys;

    private static readonly Dictionary<string, Func<TinyModel, string[][]>> s_samples = new()
    {
        ["score"] = m =>
        [
            ["score", .. Prompted(m), "--method", "eap-gp", "--out", m.Path("gp.json"), "--record-path", m.Path("path.csv")],
            ["score", .. Prompted(m), "--method", "information-flow-routes", "--top", "0"],
            [
                "score", .. Prompted(m), "--method", "eap", "--per-item", m.Path("some.safetensors"), "--per-item-edges",
                m.Circuit("b.json", 20),
            ],
            ["score", .. Prompted(m), "--method", "ensemble", "--of", "eap,relp", "--verify", "20", "--seed", "1", "--top", "0"],
            ["score", .. Prompted(m), "--method", "eap", "--positions", "tokens", "--out", m.Path("tokens.safetensors")],
        ],
        ["circuit"] = m =>
        [
            ["circuit", "--scores", m.Scores(), "--top-n", "10", "--out", m.Path("ten.json")],
            ["circuit", "--scores", m.Scores(), "--threshold", "0", "--no-prune"],
            ["circuit", "--scores", m.SpanScores(), "--greedy", "20", "--out", m.Path("spans.json")],
        ],
        ["compare"] = m =>
        [
            ["compare", "--circuit", m.Circuit("a.json", 10), "--with", m.Circuit("b.json", 20)],
            ["compare", "--scores", m.Scores(), "--with", m.Circuit("b.json", 20), "--roc", m.Path("roc.csv")],
            [
                "compare", "--files", $"{m.Circuit("a.json", 10)},{m.Circuit("b.json", 20)},{m.Scores()}", "--top-n", "15",
                "--out", m.Path("matrices.json"), "--table", m.Path("matrices.csv"), "--picture", m.Path("matrices.html"),
            ],
        ],
        ["convert"] = m =>
        [
            ["convert", m.Circuit("a.json", 10), "--out", m.Path("a.safetensors")],
            ["convert", "--in", m.Scores(), "--to", "mib", "--cut", "--out", m.Path($"ioi_{Guid.NewGuid():N}")],
        ],
        ["evaluate"] = m =>
        [
            ["evaluate", .. Prompted(m), "--circuit", m.Circuit("a.json", 10), "--out", m.Path("evaluation.json")],
            ["evaluate", .. Prompted(m), "--circuit", m.SpanCircuit()],
        ],
        ["curve"] = m =>
            [["curve", .. Prompted(m), "--scores", m.Scores(), "--out", m.Path("curve.csv"), "--picture", m.Path("curve.svg")]],
        ["completeness"] = m => [["completeness", .. Knockout(m), "--out", m.Path("completeness.json")]],
        ["minimality"] = m => [["minimality", .. Knockout(m), "--out", m.Path("minimality.json")]],
        ["test-circuit"] = m =>
        [
            [
                "test-circuit", .. Prompted(m), "--circuit", m.Circuit("a.json", 10), "--random", "5", "--permutations", "20",
                "--out", m.Path("tests.json"), "--table", m.Path("tests.csv"), "--picture", m.Path("tests.svg"),
            ],
            ["test-circuit", .. Prompted(m), "--circuit", m.Circuit("a.json", 10), "--tests", "equivalence", "--limit", "2"],
        ],
        ["stability"] = m =>
        [
            [
                "stability", "--per-item", m.PerItem(), "--sizes", "20", "--resamples", "20", "--out", m.Path("core.json"),
                "--table", m.Path("stability.csv"), "--picture", m.Path("stability.svg"),
            ],
            ["stability", "--per-item", m.PerItem(), "--sizes", "10,30", "--signed", "--top", "0"],
        ],
        ["transfer"] = m =>
        [
            [
                "transfer", "--model", "demo", "--device", "cpu", "--threads", "1", "--tasks", "ioi,greater-than", "--limit", "8",
                "--edges", "20,60", "--method", "eap", "--out", m.Path("transfer.json"), "--table", m.Path("transfer.csv"),
                "--picture", m.Path("transfer.svg"),
            ],
        ],
        ["acdc"] = m =>
        [
            ["acdc", .. Prompted(m), "--tau", "0.01", "--out", m.Path("acdc.json"), "--log", m.Path("steps.csv")],
            [
                "acdc", .. Prompted(m), "--thresholds", "0.01,0.1", "--ground-truth", m.Circuit("b.json", 20),
                "--out", m.Path("sweep.json"), "--table", m.Path("sweep.csv"),
            ],
        ],
        ["path-patch"] = m =>
        [
            [
                "path-patch", .. Prompted(m), "--out", m.Path("paths.json"), "--effects", m.Path("e.csv"),
                "--picture", m.Path("p.svg"),
            ],
            ["path-patch", .. Prompted(m), "--iterate", "--rounds", "2", "--metric", "kl", "--top-n", "2"],
        ],
        ["edge-prune"] = m =>
        [
            ["edge-prune", .. Trained(m), "--out", m.Path("pruned.json"), "--log", m.Path("training.csv")],
            ["edge-prune", .. Trained(m), "--out", m.Path("warm.json"), "--init", m.Scores()],
            ["edge-prune", .. Trained(m), "--out", m.Path("drawn.json"), "--draws", "2"],
        ],
        ["hap"] = m =>
        [
            [
                "hap", .. Trained(m), "--keep", "0.7", "--compare", "--recall", m.Circuit("b.json", 20), "--out", m.Path("hap.json"),
            ],
            ["hap", .. Trained(m), "--keep", "0.7", "--draws", "2", "--out", m.Path("drawn-hap.json")],
        ],
        ["search"] = m => [["search", .. Prompted(m), "--method", "acdc", "--threshold", "0.01", "--out", m.Path("found.json")]],
        ["benchmark"] = m =>
        [
            [
                "benchmark", .. Prompted(m), "--methods", "eap,acdc,edge-prune", "--sparsity", "0.5", "--steps", "6", "--acdc-runs", "2",
                "--ground-truth", m.Circuit("b.json", 20), "--out", m.Path("benchmark"),
            ],
        ],
        ["ground-truth"] = _ =>
            [["benchmark", "--ground-truth", "--device", "cpu", "--threads", "1", "--program", "fraction", "--method", "eap,random"]],
        ["sweep"] = m =>
        [
            ["sweep", SweepPlans.Tiny(m), "--out", m.Path("swept"), "--device", "cpu", "--threads", "1"],
            ["sweep", "--plan", SweepPlans.Tiny(m), "--check", "--device", "cpu", "--threads", "1", "--shard", "1/2"],
        ],
        ["sweep-status"] = m =>
            [["sweep", "status", SweepSamples.Folder(m)], ["sweep", "status", SweepSamples.Folder(m, failure: true, claim: true)]],
        ["sweep-retry"] = m =>
        [
            ["sweep", "retry", SweepSamples.Folder(m)],
            ["sweep", "retry", SweepSamples.Folder(m, failure: true), "--unit", SweepSamples.Failed],
        ],
        ["sweep-merge"] = m =>
            [["sweep", "merge", SweepPlans.Swept(m)], ["sweep-merge", "--dir", SweepPlans.Swept(m), "--table", m.Path("swept.csv")]],
        ["sweep-submit"] = m => [["sweep", "submit", SweepPlans.Swept(m), "--engine", "slurm", "--dry-run", "--array", "3"]],
        ["transcode-train"] = m =>
        [
            [
                "transcode", "train", "--model", "demo", "--tasks", "ioi", "--limit", "4", "--steps", "3", "--features", "24",
                "--active", "4", "--device", "cpu", "--threads", "1", "--out", m.Path("transcoders"),
            ],
        ],
        ["transcode-graph"] = m =>
        [
            [
                "transcode", "graph", "--model", "demo", "--prompt", "When John and Mary went to the store, John gave a drink to",
                "--device", "cpu", "--threads", "1", "--out", m.Path("graph.json"),
            ],
            [
                "transcode-graph", "--model", "demo", "--prompt", "The dog", "--device", "cpu", "--threads", "1", "--max-features", "9",
                "--top", "3", "--out", m.Path("graph.html"),
            ],
        ],
        ["reproduce"] = m =>
        [
            ["reproduce", "gender-bias", "--model", "demo", "--threads", "1", "--limit", "2", "--out", m.Path("reproduced.json")],
            ["reproduce", "mib", "--model", "demo", "--threads", "1", "--limit", "2"],
        ],
        ["demo"] = m => [["demo", "--threads", "1", "--out", m.Path("demo")]],
        ["info"] = m => [["info", "--model", m.ModelDirectory], ["info", "--model", "demo", "--weights"]],
        ["tasks"] = _ => [["tasks"]],
        ["prompts"] = m => [["prompts", "--task", "ioi", "--model", "demo", "--count", "2", "--out", m.Path("made.jsonl")]],
        ["make-model"] = m =>
            [["make-model", "list"], ["make-model", "induction", "--count", "10", "--seed", "1", "--out", m.Path("induction")]],
        ["tokenize"] = _ => [["tokenize", "--model", "demo"]],
        ["report"] = m =>
        [
            ["report", "--scores", m.Scores(), "--out", m.Path("report.html")],
            ["report", "--scores", m.Scores(), "--ground-truth", m.Circuit("b.json", 20), "--out", m.Path("judged.html")],
        ],
        ["draw"] = m => [["draw", "--circuit", m.Circuit("a.json", 10), "--out", m.Path("circuit.svg")]],
        ["selftest"] = m =>
        [
            ["selftest", "--threads", "1", "--against", "cpu", "--cases", "1"],
            ["selftest", "--threads", "1", "--stages", "identities", "--only", "eap-gp"],
            ["selftest", "--threads", "1", "--write-scores", m.Path("cpu.safetensors"), "--shape", "tiny"],
            ["selftest", "--threads", "1", "--scores", m.Path("cpu.safetensors"), "--stages", "gpt2"],
        ],
        ["completion"] = _ => [["completion", "bash"], ["completion", "fish"]],
        ["kernels"] = m =>
        [
            ["kernels", "list", "--device", "cpu"],
            ["kernels", "dump", "fill"],
            ["kernels", "dump", "Rows", "--out", m.Path("Rows.ptx")],
            ["kernels", "run", "Fill", "--threads", "1", "--repeats", "2"],
        ],
        ["bench"] = m => [["bench", "--threads", "1", "--quick", "--only", "Fill", "--out", m.Path("bench.json")]],
    };

    /// <summary>What a sample reads from standard input.</summary>
    public const string Input = "\"When Anna went\"\n";

    /// <summary>The command lines of a verb's samples.</summary>
    public static string[][] Of(string verb, TinyModel model) => s_samples[verb](model);

    private static string[] Prompted(TinyModel m) => ["--model", m.ModelDirectory, "--data", m.Pairs, "--device", "cpu", "--threads", "1"];

    private static string[] Knockout(TinyModel m) =>
        [.. Prompted(m), "--circuit", m.Circuit("a.json", 10), "--random", "2", "--greedy-runs", "1", "--greedy-iterations", "1"];

    private static string[] Trained(TinyModel m) => [.. Prompted(m), "--steps", "6", "--batch-size", "2", "--sparsity", "0.8"];
}
