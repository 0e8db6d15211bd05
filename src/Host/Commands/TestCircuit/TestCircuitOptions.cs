using CommandLine;
using CommandLine.Text;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Statistics;
using Gradpath.Host.Options;
using Gradpath.Programs.Files;

namespace Gradpath.Host.Commands;

/// <summary>The options of <c>gradpath test-circuit</c>.</summary>
[Verb("test-circuit", HelpText =
    "Test hypotheses about a circuit: equivalence, independence, minimality, sufficiency, partial necessity, with p-values.")]
internal sealed class TestCircuitOptions : PromptedOptions
{
    private static readonly UnParserSettings s_short = new() { SkipDefault = true };

    [Input]
    [Option("circuit", Required = true, MetaValue = "FILE",
        HelpText = "A file that marks a circuit, which is taken as it is: .json or .safetensors (see 'gradpath circuit').")]
    public string Circuit { get; set; } = "";

    [Option("tests", Separator = ',', MetaValue = "TEST,...", HelpText =
        "Tests to run: equivalence, non-equivalence, independence, minimality, sufficiency, partial-necessity (default: all).")]
    public IEnumerable<string> Tests { get; set; } = [];

    [Option("alpha", MetaValue = "A", Default = 0.05, HelpText = "Level of each test: what a p-value is compared with.")]
    [Range(0.001, 0.5)]
    public double Alpha { get; set; } = 0.05;

    [Option("tolerance", MetaValue = "E", HelpText =
        "How far from 1/2 the probability may be that the circuit does better than the full model (default: 0.1).")]
    [Range(0, 0.5, BelowMost = true)]
    public double? Tolerance { get; set; }

    [Option("random", MetaValue = "N", HelpText =
        "Random circuits of the circuit's size, and circuits inflated by a random path, to compare with (default: 100).")]
    [Range(1, 100_000)]
    public int? Random { get; set; }

    [Option("permutations", MetaValue = "N", HelpText = "Permutations of the test of independence (default: 1000).")]
    [Range(1, 1_000_000)]
    public int? Permutations { get; set; }

    [Option("edges", MetaValue = "N", HelpText = "Edges whose minimality is tested, drawn from the circuit's (default: all).")]
    [Range(1, 10_000_000)]
    public int? Edges { get; set; }

    [Option("correction", MetaValue = "RULE", HelpText =
        "What decides which edges are needed: benjamini-hochberg or holm (default: benjamini-hochberg). Both are stated.")]
    public string? Correction { get; set; }

    [Output(".json")]
    [Option("out", MetaValue = "FILE.json", HelpText = "Write the result with every edge and every random draw.")]
    public string? Out { get; set; }

    [Output(".csv")]
    [Option("table", MetaValue = "FILE.csv", HelpText = "Write a line per test and per edge.")]
    public string? Table { get; set; }

    [Output(".svg")]
    [Option("picture", MetaValue = "FILE.svg", HelpText = "Draw how the random circuits are distributed, with the circuit marked.")]
    public string? Picture { get; set; }

    [Usage(ApplicationAlias = "gradpath")]
    public static IEnumerable<Example> Examples =>
    [
        new("A circuit on the prompts of its task", s_short,
            new TestCircuitOptions { Model = "demo", Task = "ioi", Circuit = "circuit.json", Out = "tests.json", Picture = "tests.svg" }),
    ];

    /// <summary>The tests, their level and their draws.</summary>
    /// <exception cref="UsageException">An option cannot be used.</exception>
    public CircuitTestOptions Settings()
    {
        CircuitTestKind[] tests = [.. Tests.Select(t => EnumNames.Parse<CircuitTestKind>("tests", t))];
        CircuitTestOptions defaults = new();
        if (tests.Length == 0) tests = [.. defaults.Tests];
        CircuitTestKind[] drawn = [CircuitTestKind.Minimality, CircuitTestKind.Sufficiency, CircuitTestKind.PartialNecessity];
        Needs("tolerance", Tolerance is not null, CircuitTestKind.Equivalence, CircuitTestKind.NonEquivalence);
        Needs("permutations", Permutations is not null, CircuitTestKind.Independence);
        Needs("edges", Edges is not null, CircuitTestKind.Minimality);
        Needs("correction", Correction is not null, CircuitTestKind.Minimality);
        Needs("random", Random is not null, drawn);
        Needs("picture", Picture is not null, drawn);
        return defaults with
        {
            Tests = tests,
            Alpha = Alpha,
            Tolerance = Tolerance ?? defaults.Tolerance,
            RandomDraws = Random ?? defaults.RandomDraws,
            Permutations = Permutations ?? defaults.Permutations,
            Edges = Edges,
            Correction = Correction is null ? defaults.Correction : EnumNames.Parse<Correction>("correction", Correction),
            Seed = (ulong)(Seed ?? 0),
        };

        void Needs(string option, bool given, params CircuitTestKind[] readers)
        {
            if (given && !readers.Any(tests.Contains))
                throw new UsageException($"--{option}: only {EnumNames.Choice(readers.Select(r => EnumNames.Of(r)))} in --tests reads it.");
        }
    }
}
