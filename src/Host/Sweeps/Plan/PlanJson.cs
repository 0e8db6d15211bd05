using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Host.Sweeps.Plan;

/// <summary>The canonical form of a plan: the same for files that differ in comments, order of keys and written defaults alone.</summary>
internal static class PlanJson
{
    /// <summary>Writes a plan. Lines are left out.</summary>
    /// <param name="plan">The plan.</param>
    public static JsonObject Write(SweepPlan plan) => new()
    {
        ["name"] = plan.Name,
        ["models"] = Array(plan.Models, m => m),
        ["tasks"] = Array(plan.Tasks, t => new JsonObject { ["name"] = t.Name, ["task"] = t.Task, ["data"] = t.Data }),
        ["methods"] = Array(plan.Methods, m => new JsonObject
        {
            ["name"] = m.Name,
            ["verb"] = m.Verb,
            ["options"] = Array(m.Options, o => new JsonArray(o.Option, o.Value)),
        }),
        ["seeds"] = Array(plan.Seeds, s => s),
        ["metrics"] = Array(plan.Metrics, m => m),
        ["ablations"] = Array(plan.Ablations, a => EnumNames.Of(a)),
        ["prompts"] = new JsonObject { ["train"] = plan.Train, ["judge"] = plan.Judge, ["parts"] = plan.PromptParts },
        ["sizes"] = new JsonObject { ["fractions"] = Array(plan.Fractions, f => f), ["edges"] = Array(plan.Edges, e => e) },
        ["evaluate"] = Array(Enum.GetValues<SweepEvaluation>().Where(e => e != 0 && plan.Evaluate.HasFlag(e)), e => EnumNames.Of(e)),
        ["batch-size"] = plan.BatchSize,
        ["stability"] = new JsonObject { ["resamples"] = plan.Resamples },
        ["device"] = new JsonObject(plan.Device.OrderBy(d => d.Key, StringComparer.Ordinal)
            .Select(d => KeyValuePair.Create<string, JsonNode?>(d.Key, d.Value))),
    };

    /// <summary>Reads what <see cref="Write"/> wrote. The lines of tasks and methods are 0.</summary>
    /// <param name="json">The plan.</param>
    /// <param name="where">Where it is from, for the message.</param>
    /// <exception cref="GradpathException">It is something else.</exception>
    public static SweepPlan Read(JsonNode? json, string where)
    {
        try
        {
            return Read(json!.AsObject()) with { Source = PlanSource.None with { File = where } };
        }
        catch (Exception e) when (e is InvalidOperationException or NullReferenceException or FormatException or UsageException
            or ArgumentException or OverflowException)
        {
            throw new GradpathException($"{where}: no plan as this program writes it", e);
        }
    }

    /// <summary>SHA-256 of the canonical form, in hexadecimal digits.</summary>
    /// <param name="plan">The plan.</param>
    public static string Hash(SweepPlan plan) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Write(plan).ToJsonString())));

    private static SweepPlan Read(JsonObject json) => new()
    {
        Name = Text(json["name"]),
        Models = List(json["models"], Text),
        Tasks = List(json["tasks"], t => new SweepTask(Text(t!["name"]), t["task"]?.GetValue<string>(), t["data"]?.GetValue<string>(), 0)),
        Methods = List(json["methods"], m => new SweepMethod(
            Text(m!["name"]), Text(m["verb"]), List(m["options"], o => (Text(o![0]), Text(o[1]))), 0)),
        Seeds = List(json["seeds"], s => s!.GetValue<int>()),
        Metrics = List(json["metrics"], m => m?.GetValue<string>()),
        Ablations = List(json["ablations"], a => EnumNames.Parse<Ablation>("ablation", Text(a))),
        Train = json["prompts"]!["train"]!.GetValue<int>(),
        Judge = json["prompts"]!["judge"]!.GetValue<int>(),
        PromptParts = json["prompts"]!["parts"]!.GetValue<int>(),
        Fractions = List(json["sizes"]!["fractions"], f => f!.GetValue<double>()),
        Edges = List(json["sizes"]!["edges"], e => e!.GetValue<int>()),
        Evaluate = List(json["evaluate"], e => EnumNames.Parse<SweepEvaluation>("evaluate", Text(e)))
            .Aggregate(SweepEvaluation.None, (sum, one) => sum | one),
        BatchSize = json["batch-size"]?.GetValue<int>(),
        Resamples = json["stability"]!["resamples"]!.GetValue<int>(),
        Device = json["device"]!.AsObject().ToDictionary(d => d.Key, d => Text(d.Value)),
    };

    private static JsonArray Array<T>(IEnumerable<T> items, Func<T, JsonNode?> write) => [.. items.Select(write)];

    private static IReadOnlyList<T> List<T>(JsonNode? json, Func<JsonNode?, T> read) => [.. json!.AsArray().Select(read)];

    private static string Text(JsonNode? json) => json!.GetValue<string>();
}
