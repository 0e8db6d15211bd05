using System.Reflection;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Attribution;

/// <summary>The table of methods, and what is made of it.</summary>
public sealed class AttributionMethodsTests
{
    [Fact]
    public void Every_row_stands_in_the_table_once_under_its_property()
    {
        PropertyInfo[] properties = [.. typeof(AttributionMethods).GetProperties().Where(p => p.PropertyType == typeof(AttributionMethod))];
        Assert.Equal(properties.Select(p => (AttributionMethod)p.GetValue(null)!), AttributionMethods.All);
        Assert.Equal(properties.Select(p => CanonicalNames.Kebab(p.Name)), AttributionMethods.All.Select(m => m.Name));
        string[] names = [.. AttributionMethods.All.SelectMany(m => m.Aliases.Prepend(m.Name))];
        Assert.Equal(names.Length, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    [Theory]
    [InlineData("eap-ig", "eap-ig")]
    [InlineData("EAP", "eap")]
    [InlineData("EAP-IG", "eap-ig")]
    [InlineData("EAP-IG-inputs", "eap-ig")]
    [InlineData("EAP-IG-activations", "eap-ig-activations")]
    [InlineData("clean-corrupted", "clean-corrupted")]
    [InlineData("exact", "exact")]
    [InlineData("information-flow-routes", "information-flow-routes")]
    [InlineData("EAP_GP", "eap-gp")]
    [InlineData(" Random ", "random")]
    public void Names_are_found_as_the_library_and_people_write_them(string written, string name)
    {
        Assert.Equal(name, AttributionMethods.Find(written).Name);
        Assert.Same(AttributionMethods.Find(name), AttributionMethods.Find(written));
    }

    [Theory]
    [InlineData("eap-gi", "did you mean eap-ig?")]
    [InlineData("EAP-IG-input", "did you mean eap-ig-inputs?")]
    [InlineData("exat", "did you mean exact?")]
    [InlineData("integrated hessians", "choose eap, eap-ig")]
    [InlineData("", "choose eap, eap-ig")]
    public void An_unknown_name_is_answered_with_what_may_be_meant_and_what_there_is(string written, string answer)
    {
        string message = Assert.Throws<OptionException>(() => AttributionMethods.Find(written)).Message;
        Assert.StartsWith($"Method {written}: no such method;", message, StringComparison.Ordinal);
        Assert.Contains(answer, message, StringComparison.Ordinal);
        Assert.EndsWith("magnitude or random", message, StringComparison.Ordinal);
        Assert.False(AttributionMethods.TryFind(written, out _));
    }

    /// <summary>README's table is the rows', word for word.</summary>
    [Fact]
    public void The_readme_lists_every_method()
    {
        string[] lines = File.ReadAllLines(Path.Combine(RepositoryFiles.Root, "README.md"));
        int head = Array.FindIndex(lines, l => l.StartsWith("| method |", StringComparison.Ordinal));
        string[] table =
            [.. lines.Skip(head + 2).TakeWhile(l => l.StartsWith('|')).Select(l => l.Replace("**", "", StringComparison.Ordinal))];
        Assert.Equal(
            AttributionMethods.All.Select(m => $"| {(m.IsBaseline ? "baseline: " : "")}{m.Title} | `{m.Name}` | {m.Points} | {m.Passes} |"),
            table);
    }

    [Fact]
    public void Whole_passes_are_counted_as_the_table_says()
    {
        Dictionary<string, PassCounts?> counts = AttributionMethods.All.ToDictionary(
            m => m.Name, m => m.CountPasses(new AttributionOptions { Method = m, Steps = m.Takes(MethodSettings.Steps) ? 7 : null }));
        Assert.Equal(new PassCounts(2, 1), counts["eap"]);
        Assert.Equal(new PassCounts(8, 7), counts["eap-ig"]);
        Assert.Null(counts["eap-ig-activations"]);
        Assert.Equal(new PassCounts(8, 7), counts["ceap"]);
        Assert.Equal(new PassCounts(2, 2), counts["clean-corrupted"]);
        Assert.Equal(new PassCounts(11, 16), counts["eap-gp"]);
        Assert.Equal(new PassCounts(2, 1), counts["relp"]);
        Assert.Equal(new PassCounts(2, 1), counts["gim"]);
        Assert.Null(counts["atp-star"]);
        Assert.Null(counts["exact"]);
        Assert.Equal(new PassCounts(19, 23), counts["ensemble"]);
        Assert.Equal(new PassCounts(1, 0), counts["information-flow-routes"]);
        Assert.Equal(new PassCounts(2, 0), counts["magnitude"]);
        Assert.Equal(new PassCounts(0, 0), counts["random"]);
        Assert.Equal(
            new PassCounts(9, 7), AttributionMethods.EapIg.CountPasses(new AttributionOptions { Steps = 7, IgPoints = IgPoints.Midpoint }));
        Assert.Equal(
            new PassCounts(15, 7), AttributionMethods.Ceap.CountPasses(new AttributionOptions { Steps = 7, IgPoints = IgPoints.Midpoint }));
    }

    [Fact]
    public void Only_a_gradient_at_the_clean_run_alone_vanishes_for_a_distance_from_it()
    {
        foreach (Metric metric in BuiltInMetrics.All)
            Assert.Equal(
                metric.MeasuresDistance ? ["eap", "relp", "gim", "atp-star"] : [],
                AttributionMethods.All.Where(m => m.VanishesFor(metric)).Select(m => m.Name));
    }

    [Fact]
    public void A_method_serves_as_a_scorer()
    {
        using OddModel model = OddModel.Make("head bias");
        AttributionOptions options = new() { Metric = BuiltInMetrics.ProbabilityDifference, Steps = 2 };
        var scorer = AttributionMethods.EapIg.Scorer(options);
        Assert.Equal(("eap-ig", BuiltInMetrics.ProbabilityDifference), (scorer.Name, scorer.Metric));
        PromptSet prompts = PromptSet.Of(model.Mixed);
        Assert.Equal(EdgeAttribution.Score(model.Weights, prompts, options).Values, scorer.Score(model.Weights, prompts).Values);
        Assert.Throws<OptionException>(() => AttributionMethods.Eap.Scorer(options));
    }
}
