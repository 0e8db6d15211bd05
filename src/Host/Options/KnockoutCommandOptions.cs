using CommandLine;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Reports;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Options;

/// <summary>What <c>completeness</c> and <c>minimality</c> share: the circuit and the node sets that are knocked out of it.</summary>
internal abstract class KnockoutCommandOptions : PromptedOptions
{
    [Input]
    [Option("circuit", Required = true, MetaValue = "FILE",
        HelpText = "A file that marks a circuit: .json or .safetensors (see 'gradpath circuit').")]
    public string Circuit { get; set; } = "";

    [Input]
    [Option("classes", MetaValue = "FILE.json",
        HelpText = "Classes of nodes to knock out, as {\"name\": [\"a9.h9\", \"m0\"]}; nodes outside the circuit are left out.")]
    public string? Classes { get; set; }

    [Option("random", MetaValue = "N", HelpText = "Random halves of the circuit's nodes to knock out (default: 100; minimality: 10).")]
    [Range(0, 100_000)]
    public int? Random { get; set; }

    [Option("greedy-runs", MetaValue = "N", HelpText =
        "Greedy searches for the set that makes circuit and model differ most (default: 10; minimality: 0).")]
    [Range(0, 10_000)]
    public int? GreedyRuns { get; set; }

    [Option("greedy-iterations", MetaValue = "N", Default = 10, HelpText = "Nodes that a greedy search adds.")]
    [Range(1, 10_000)]
    public int GreedyIterations { get; set; } = 10;

    [Option("greedy-candidates", MetaValue = "N", Default = 10,
        HelpText = "Nodes that a greedy search draws to choose each next one from.")]
    [Range(1, 1_000_000)]
    public int GreedyCandidates { get; set; } = 10;

    [Output(".json")]
    [Option("out", MetaValue = "FILE.json", HelpText = "Write the result.")]
    public string? Out { get; set; }

    /// <summary>Checks the options without opening a file.</summary>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    public void Check()
    {
        CheckShared();
    }

    /// <summary>The sets to knock out.</summary>
    public KnockoutOptions Sets(Circuit circuit, int random, int greedyRuns) => new()
    {
        Classes = Classes is null ? [] : NodeSets.ReadClasses(Classes, circuit),
        RandomDraws = Random ?? random,
        GreedyRuns = GreedyRuns ?? greedyRuns,
        GreedyIterations = GreedyIterations,
        GreedyCandidates = GreedyCandidates,
        Seed = (ulong)(Seed ?? 0),
    };
}
