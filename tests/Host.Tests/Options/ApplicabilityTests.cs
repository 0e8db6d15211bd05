using CommandLine;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Host.Commands;
using Gradpath.Host.Comparison;

namespace Gradpath.Host.Tests;

/// <summary>
/// What a method or a search does not read is refused, whatever its value; what it reads is taken. The tables of both are what decides.
/// </summary>
public sealed class ApplicabilityTests
{
    // An option with a value that the method takes; the default where there is one, which must be noticed too.
    private static readonly Dictionary<MethodSettings, string[]> s_ofMethods = new()
    {
        [MethodSettings.Metric] = ["--metric", "logit-diff"],
        [MethodSettings.Steps] = ["--steps", "5"],
        [MethodSettings.Ablation] = ["--ablation", "patching"],
        [MethodSettings.IgPoints] = ["--ig-points", "left"],
        [MethodSettings.EmbeddingPath] = ["--path-start", "clean"],
        [MethodSettings.RecordPath] = ["--record-path", "path.csv"],
        [MethodSettings.Seed] = ["--seed", "0"],
    };

    // Without the metric, which judges the circuit where the search itself does not read it.
    private static readonly Dictionary<SearchSettings, string[]> s_ofSearches = new()
    {
        [SearchSettings.Seed] = ["--seed", "0"],
        [SearchSettings.Scorer] = ["--scorer", "eap"],
    };

    // The options of a benchmark that only some of its methods read.
    private static readonly Dictionary<string, Func<ComparedMethod, bool>> s_ofBenchmarks = new()
    {
        ["--acdc-runs 12"] = m => m.Search?.Sizing == SearchSizing.Threshold,
        ["--steps 3000"] = m => m.Search?.Defaults is EdgePruningOptions,
        ["--train-batch 32"] = m => m.Search?.Defaults is EdgePruningOptions,
        ["--overshoot 0"] = m => m.Search?.Defaults is EdgePruningOptions,
        ["--keep 0.5"] = m => m.Search?.Defaults is HybridPruningOptions,
        ["--greedy"] = m => m.Search is null,
    };

    public static TheoryData<string, MethodSettings> Methods()
    {
        TheoryData<string, MethodSettings> data = [];
        foreach (AttributionMethod method in AttributionMethods.All)
        {
            foreach (MethodSettings setting in s_ofMethods.Keys) data.Add(method.Name, setting);
        }
        return data;
    }

    public static TheoryData<string, SearchSettings> Searches()
    {
        TheoryData<string, SearchSettings> data = [];
        foreach (CircuitSearch search in CircuitSearches.All)
        {
            foreach (SearchSettings setting in s_ofSearches.Keys) data.Add(search.Name, setting);
        }
        return data;
    }

    public static TheoryData<string, string> Benchmarks()
    {
        TheoryData<string, string> data = [];
        foreach (ComparedMethod method in ComparedMethod.Defaults)
        {
            foreach (string option in s_ofBenchmarks.Keys) data.Add(method.Name, option);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_method_takes_what_its_row_says(string method, MethodSettings setting)
    {
        ScoreOptions options = Parsed<ScoreOptions>(["score", .. Prompts, "--method", method, .. s_ofMethods[setting]]);
        bool takes = AttributionMethods.Find(method).Takes(setting);
        Expect(takes, s_ofMethods[setting][0], () => options.Prompts(options.Attribution()).Check());
    }

    [Theory]
    [MemberData(nameof(Searches))]
    public void A_search_takes_what_its_row_says(string search, SearchSettings setting)
    {
        SearchCommandOptions options = Parsed<SearchCommandOptions>(
            ["search", .. Prompts, "--method", search, "--out", "circuit.json", .. s_ofSearches[setting]]);
        Expect(CircuitSearches.Find(search).Takes(setting), s_ofSearches[setting][0], () => options.Checked());
    }

    [Theory]
    [MemberData(nameof(Benchmarks))]
    public void A_benchmark_takes_what_one_of_its_methods_reads(string method, string option)
    {
        BenchmarkOptions options = Parsed<BenchmarkOptions>(
            ["benchmark", .. Prompts, "--methods", method, "--out", "table", .. option.Split(' ')]);
        Expect(s_ofBenchmarks[option](ComparedMethod.Parse(method)), option.Split(' ')[0], options.Check);
    }

    /// <summary>A setting that is added to a table needs an option here.</summary>
    [Fact]
    public void Every_setting_has_an_option()
    {
        Assert.Equal(Single<MethodSettings>(), s_ofMethods.Keys.Order());
        Assert.Equal(Single<SearchSettings>().Where(s => s != SearchSettings.Metric), s_ofSearches.Keys.Order());
    }

    private static string[] Prompts => ["--model", "demo", "--data", "pairs.jsonl"];

    private static IEnumerable<T> Single<T>()
        where T : struct, Enum => Enum.GetValues<T>().Where(v => int.PopCount(Convert.ToInt32(v, null)) == 1).Order();

    private static T Parsed<T>(string[] line)
        where T : class
    {
        using Parser parser = new(s => s.CaseSensitive = true);
        return Assert.IsType<T>(parser.ParseArguments(line, [.. VerbTable.All.Select(v => v.Options)]).Value);
    }

    private static void Expect(bool takes, string option, Action check)
    {
        if (takes)
        {
            check();
            return;
        }
        Exception refused = Assert.ThrowsAny<Exception>(check);
        string message = refused is OptionException e ? e.Describe(OptionNames.Of) : Assert.IsType<UsageException>(refused).Message;
        Assert.Contains(option, message, StringComparison.Ordinal);
    }
}
