using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Host.Sweeps.Plan;
using Gradpath.Host.Sweeps.Units;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>Units as the folder of a sweep lists them. Setting and title stand there for other programs and are not read back.</summary>
internal static class UnitJson
{
    /// <summary>How many digits a key has.</summary>
    public const int KeyLength = 32;

    /// <summary>A unit as JSON.</summary>
    /// <param name="unit">The unit.</param>
    public static JsonObject ToJson(SweepUnit unit) => new()
    {
        ["index"] = unit.Index,
        ["key"] = unit.Key,
        ["model"] = unit.Model,
        ["model_name"] = unit.ModelName,
        ["task"] = unit.Task.Name,
        ["prompts"] = new JsonObject { ["task"] = unit.Task.Task, ["data"] = unit.Task.Data, ["line"] = unit.Task.Line },
        ["method"] = unit.Method.Name,
        ["verb"] = unit.Method.Verb,
        ["setting"] = unit.Method.Setting,
        ["options"] = new JsonObject(unit.Method.Options.Select(o => KeyValuePair.Create(o.Option, (JsonNode?)o.Value))),
        ["method_line"] = unit.Method.Line,
        ["seed"] = unit.Seed,
        ["metric"] = unit.Metric,
        ["ablation"] = EnumNames.Of(unit.Ablation),
        ["part"] = unit.Part is { } part ? new JsonObject { ["part"] = part.Part, ["of"] = part.Of } : null,
        ["needs"] = new JsonArray([.. unit.Needs.Select(n => (JsonNode)n)]),
        ["cost"] = double.IsFinite(unit.Cost) ? unit.Cost : 0,
        ["title"] = unit.Title,
        ["identity"] = unit.Identity.DeepClone(),
    };

    /// <summary>Reads a unit.</summary>
    /// <param name="json">Its object.</param>
    public static SweepUnit Read(StrictJson json)
    {
        _ = json.Text("setting");
        _ = json.Text("title");
        SweepTask task = new(json.Text("task"), null, null, 0);
        return new SweepUnit
        {
            Index = json.Count("index"),
            Key = IsKey(json.Text("key")) ? json.Text("key") : throw json.Fault("key", "is no key of a unit"),
            Model = json.Text("model"),
            ModelName = json.Text("model_name"),
            Task = json.Object("prompts", p =>
                task with { Task = p.TextOrNull("task"), Data = p.TextOrNull("data"), Line = p.Count("line") }),
            Method = new SweepMethod(json.Text("method"), json.Text("verb"), json.Texts("options"), json.Count("method_line")),
            Seed = json.Count("seed"),
            Metric = json.Text("metric"),
            Ablation = Enum.GetValues<Ablation>().Cast<Ablation?>().FirstOrDefault(a => EnumNames.Of(a!.Value) == json.Text("ablation"))
                ?? throw json.Fault("ablation", "is no ablation"),
            Part = json.ObjectOrNull("part", p => (p.Count("part"), p.Count("of"))),
            Needs = json.TextList("needs"),
            Cost = json.Finite("cost"),
            Identity = json.Free("identity"),
        };
    }

    /// <summary>Whether a text is a key as units have them, which files can be named by.</summary>
    /// <param name="text">The text.</param>
    public static bool IsKey(string text) => text.Length == KeyLength && text.All(char.IsAsciiHexDigitLower);
}
