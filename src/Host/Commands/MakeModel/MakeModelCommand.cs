using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Compilation;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Host.Options;

namespace Gradpath.Host.Commands;

/// <summary><c>gradpath make-model</c>: a program or another library's model in, a model whose circuit is known out.</summary>
internal static class MakeModelCommand
{
    private const int UsualCount = 100;

    /// <summary>Runs the command.</summary>
    /// <param name="o">The options.</param>
    /// <param name="cancellation">Stops the work before anything is written.</param>
    public static CommandReport Run(MakeModelOptions o, CancellationToken cancellation)
    {
        o.Check();
        if (o.List) return List();
        return o.From is null ? Compile(o, cancellation) : Convert(o, cancellation);
    }

    private static CommandReport List()
    {
        CommandReport report = new();
        report.Table(ReportTable.Of("programs", CompiledPrograms.All)
            .Text("program", "name", p => p.Name)
            .Text("what it computes", "summary", p => p.Summary));
        return report;
    }

    private static CommandReport Compile(MakeModelOptions o, CancellationToken cancellation)
    {
        CompiledProgram program = ProgramNames.Parse("program", o.Program!);
        ulong seed = (ulong)(o.Seed ?? 0);
        IReadOnlyList<PromptPair> pairs = program.Pairs(o.Count ?? UsualCount, seed);
        cancellation.ThrowIfCancellationRequested();
        CompiledModel model = CompiledModelFolder.Write(o.Out!, program, new DistractorOptions(seed), pairs);
        CommandReport report = new();
        report.Fact("program", program.Name);
        report.Fact("prompt_pairs", pairs.Count);
        report.Fact("seed", (long)seed);
        Describe(report, model, o.Out!);
        report.File("prompts", Path.Combine(o.Out!, CompiledModelFolder.Prompts),
            $"{Sizes.Of(pairs.Count, "prompt pair")}: {Path.Combine(o.Out!, CompiledModelFolder.Prompts)}");
        return report;
    }

    private static CommandReport Convert(MakeModelOptions o, CancellationToken cancellation)
    {
        CompiledModel model = HookedModel.Read(o.From!, o.Config!, o.Edges);
        cancellation.ThrowIfCancellationRequested();
        CompiledModelFolder.Write(o.Out!, model, new Provenance
        {
            Version = Provenance.ProgramVersion,
            Method = CompiledModelFolder.Method,
            Data = Path.GetFileName(o.From),
            Options = new JsonObject { ["config"] = Path.GetFileName(o.Config), ["edges"] = Path.GetFileName(o.Edges) },
        });
        CommandReport report = new();
        report.Fact("program", null);
        report.Fact("prompt_pairs", null);
        report.Fact("seed", null);
        Describe(report, model, o.Out!);
        return report;
    }

    private static void Describe(CommandReport report, CompiledModel model, string folder)
    {
        ComputationGraph graph = model.Circuit.Graph;
        report.Line($"model: {graph}, {Sizes.Of(graph.EdgeCount, "edge")}, width {model.Config.Width}", ("edges", graph.EdgeCount));
        report.Line(
            $"circuit: {Sizes.Of(model.Circuit.EdgeCount, "edge")}"
                + (model.Undecided.EdgeCount == 0 ? "" : $"; {Sizes.Of(model.Undecided.EdgeCount, "edge")} of backup heads are undecided"),
            ("true_edges", model.Circuit.EdgeCount), ("undecided_edges", model.Undecided.EdgeCount));
        report.File("model", folder);
        if (model.Circuit.EdgeCount > 0) report.File("circuit", Path.Combine(folder, CompiledModelFolder.Circuit));
        if (model.Undecided.EdgeCount > 0) report.File("undecided", Path.Combine(folder, CompiledModelFolder.Undecided));
    }
}
