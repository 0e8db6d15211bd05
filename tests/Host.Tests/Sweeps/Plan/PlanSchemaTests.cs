using System.Reflection;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Host.Sweeps.Plan;
using Json.Schema;

namespace Gradpath.Host.Tests;

/// <summary>The schema of plans against what the reader knows, and the plans that ship against both.</summary>
public sealed class PlanSchemaTests
{
    private static readonly string s_file = Path.Combine(RepositoryFiles.Root, "docs/sweep-plan.schema.json");
    private static readonly JsonSchema s_schema = JsonSchema.FromText(File.ReadAllText(s_file));
    private static readonly JsonNode s_json = JsonNode.Parse(File.ReadAllText(s_file))!;

    public static TheoryData<string> Shipped => [.. PlanSamples.Shipped];

    public static TheoryData<string> Verbs => [.. SweepMethodOptions.Verbs];

    [Fact]
    public void Three_plans_ship() => Assert.Equal(["demo.yaml", "eap-gp.yaml", "hap.yaml"], PlanSamples.Shipped);

    [Theory]
    [MemberData(nameof(Shipped))]
    public void A_plan_that_ships_is_read_and_fits_the_schema(string name)
    {
        SweepPlan plan = PlanReader.Read(PlanSamples.PathOf(name));
        Assert.Equal(Path.GetFileNameWithoutExtension(name), plan.Name);
        Assert.Equal(["demo"], plan.Models);
        JsonNode? json = PlanSamples.ToJson(PlanText.Read(PlanSamples.PathOf(name)));
        Assert.True(s_schema.Evaluate(json).IsValid, json!.ToJsonString());
    }

    [Fact]
    public void The_plans_that_ship_are_the_experiments_that_they_name()
    {
        SweepPlan gp = PlanReader.Read(PlanSamples.PathOf("eap-gp.yaml")), hap = PlanReader.Read(PlanSamples.PathOf("hap.yaml"));
        Assert.Equal(TaskCatalog.All.Select(t => t.Name), gp.Tasks.Select(t => t.Name));
        Assert.Equal(5, gp.Methods.Select(m => m.Name).Distinct().Count());
        Assert.Equal([0, 1, 2, 3, 4], gp.Seeds);
        Assert.Equal([0, 1, 2, 3, 4], hap.Seeds);
        string[] levels = ["sparsity=0.9", "sparsity=0.95", "sparsity=0.98"];
        Assert.Equal(
            ["eap", .. levels.Select(l => $"edge-prune {l}"), .. levels.Select(l => $"hap {l}")], hap.Methods.Select(m => m.Label));
    }

    [Fact]
    public void The_schema_has_every_key_of_the_reader_and_no_other()
    {
        Assert.Equal(PlanKeys.Plan, Keys(s_json));
        Assert.Equal(PlanKeys.Task, Keys(s_json["$defs"]!["task"]!));
        Assert.Equal(PlanKeys.Prompts, Keys(s_json["properties"]!["prompts"]!));
        Assert.Equal(PlanKeys.Sizes, Keys(s_json["properties"]!["sizes"]!));
        Assert.Equal(PlanKeys.Stability, Keys(s_json["properties"]!["stability"]!));
        Assert.Equal(PlanKeys.Device, Keys(s_json["properties"]!["device"]!["anyOf"]![1]!));
        IEnumerable<string> options = SweepMethodOptions.Verbs.SelectMany(v => SweepMethodOptions.Settings(v)).Select(s => s.Name);
        Assert.Equal(["name", .. options.Distinct().Order()], Keys(s_json["$defs"]!["method"]!).OrderBy(k => k == "name" ? "" : k));
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public void The_schema_knows_the_options_of_a_verb_and_what_they_are(string verb)
    {
        JsonNode method = s_json["$defs"]!["method"]!;
        string[] names = [.. SweepMethodOptions.Names.Where(n => SweepMethodOptions.Find(n)!.Value.Verb == verb)];
        JsonNode own = Assert.Single(
            method["allOf"]!.AsArray(), a => Texts(a!["if"]!["properties"]!["name"]!["enum"]!).SequenceEqual(names))!;
        (PropertyInfo Property, string Name)[] settings = [.. SweepMethodOptions.Settings(verb)];
        Assert.Equal(["name", .. settings.Select(s => s.Name).Order()], Texts(own["then"]!["propertyNames"]!["enum"]!).OrderBy(
            k => k == "name" ? "" : k));
        foreach ((PropertyInfo property, string name) in settings)
        {
            Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            string kind = type == typeof(int) ? "integers" : type == typeof(double) ? "numbers" : type == typeof(bool) ? "switches"
                : type == typeof(string) ? "words" : "members";
            Assert.Equal($"#/$defs/{kind}", method["properties"]![name]!["$ref"]!.GetValue<string>());
        }
    }

    [Fact]
    public void The_schema_has_the_names_and_numbers_of_the_program()
    {
        Assert.Equal(SweepMethodOptions.Names, Texts(s_json["$defs"]!["method-name"]!["enum"]!));
        Assert.Equal(TaskCatalog.All.Select(t => t.Name), Texts(s_json["$defs"]!["task-name"]!["enum"]!));
        Assert.Equal(["task", .. BuiltInMetrics.All.Select(m => m.Name)], Items("metrics", "enum"));
        Assert.Equal(EnumNames.All<Ablation>(), Items("ablations", "enum"));
        Assert.Equal(PlanKeys.Evaluations, Items("evaluate", "enum"));
        JsonNode prompts = s_json["properties"]!["prompts"]!["properties"]!;
        Range(PlanKeys.Train, prompts["train"]!);
        Range(PlanKeys.Judge, prompts["judge"]!);
        Range(PlanKeys.Parts, prompts["parts"]!);
        Range(PlanKeys.Seed, s_json["properties"]!["seeds"]!["anyOf"]![0]!["anyOf"]![0]!);
        Range(PlanKeys.Edges, s_json["properties"]!["sizes"]!["properties"]!["edges"]!["anyOf"]![0]!);
        Range(PlanKeys.BatchSize, s_json["properties"]!["batch-size"]!["anyOf"]![1]!);
        Range(PlanKeys.Resamples, s_json["properties"]!["stability"]!["properties"]!["resamples"]!);
        SweepPlan defaults = PlanSamples.Read(PlanSamples.Needed);
        Assert.Equal(defaults.Train, prompts["train"]!["default"]!.GetValue<int>());
        Assert.Equal(defaults.Judge, prompts["judge"]!["default"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("""{"name": 5, "models": "demo", "tasks": "ioi", "methods": "eap"}""")]
    [InlineData("""{"models": "demo", "tasks": {"name": 2.5, "task": "ioi"}, "methods": "eap"}""")]
    [InlineData("""{"name": true, "models": "demo", "tasks": "ioi", "methods": "eap"}""")]
    public void The_schema_takes_what_the_reader_takes(string json)
    {
        Assert.True(s_schema.Evaluate(JsonNode.Parse(json)).IsValid);
        PlanSamples.Read(json);
    }

    [Theory]
    [InlineData("""{"models": "demo", "tasks": "ioi"}""")]
    [InlineData("""{"models": "demo", "tasks": "ioi", "methods": "eap", "seed": 1}""")]
    [InlineData("""{"models": "demo", "tasks": "ioi", "methods": []}""")]
    [InlineData("""{"models": "demo", "tasks": "ioi", "methods": {"name": "eap", "sparsity": 0.9}}""")]
    [InlineData("""{"models": "demo", "tasks": {"name": "a"}, "methods": "eap"}""")]
    [InlineData("""{"models": "demo", "tasks": "ioi", "methods": "eap", "seeds": "1-2"}""")]
    public void The_schema_refuses_what_the_reader_refuses(string json)
    {
        Assert.False(s_schema.Evaluate(JsonNode.Parse(json)).IsValid);
        Assert.Throws<Gpt2Runtime.GradpathException>(() => PlanSamples.Read(json));
    }

    private static IEnumerable<string> Keys(JsonNode schema) => schema["properties"]!.AsObject().Select(p => p.Key);

    private static IEnumerable<string> Texts(JsonNode array) => array.AsArray().Select(v => v!.GetValue<string>());

    private static IEnumerable<string> Items(string key, string what) => Texts(s_json["properties"]![key]!["anyOf"]![0]![what]!);

    private static void Range(RangeAttribute range, JsonNode schema) =>
        Assert.Equal((range.Least, range.Most), (schema["minimum"]!.GetValue<double>(), schema["maximum"]!.GetValue<double>()));
}
