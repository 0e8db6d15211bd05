using System.Globalization;
using System.Text.Json.Nodes;
using Gradpath.Host.Sweeps.Plan;

namespace Gradpath.Host.Tests;

/// <summary>Plans for tests.</summary>
internal static class PlanSamples
{
    /// <summary>The lines that every plan needs; what a test adds begins in line 4.</summary>
    public const string Needed = "models: demo\ntasks: ioi\nmethods: eap\n";

    /// <summary>The plans that ship.</summary>
    public static string[] Shipped { get; } =
        [.. Directory.GetFiles(Path.Combine(RepositoryFiles.Root, "sweeps"), "*.yaml").Select(p => Path.GetFileName(p)!).Order()];

    /// <summary>A plan that ships.</summary>
    public static string PathOf(string shipped) => Path.Combine(RepositoryFiles.Root, "sweeps", shipped);

    /// <summary>Reads a plan of this text.</summary>
    public static SweepPlan Read(string text, string name = "plan.yaml")
    {
        using TempFolder folder = new();
        return PlanReader.Read(folder.Write(name, text));
    }

    /// <summary>A plan's file as JSON, for its schema.</summary>
    public static JsonNode? ToJson(PlanNode node)
    {
        if (node.Items is { } items) return new JsonArray([.. items.Select(ToJson)]);
        if (node.Entries is { } entries) return new JsonObject(entries.Select(e => KeyValuePair.Create(e.Key, ToJson(e.Value))));
        if (node.IsNothing) return null;
        if (node.IsQuoted) return node.Text;
        if (node.Text is "true" or "false") return node.Text == "true";
        if (long.TryParse(node.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole)) return whole;
        return double.TryParse(node.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : node.Text;
    }
}
