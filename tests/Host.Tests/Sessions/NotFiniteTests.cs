using Gradpath.Gpt2Runtime.Checkpoints;

namespace Gradpath.Host.Tests;

/// <summary>
/// Models that give no numbers: one with a weight that is NaN, one whose weights are finite and overflow when they run. No verb makes a
/// table, a circuit or a file of either.
/// </summary>
public sealed class NotFiniteTests : IClassFixture<TinyModel>
{
    private readonly TinyModel _model;

    public NotFiniteTests(TinyModel model)
    {
        _model = model;
        model.Circuit("circuit.json", 20);
        MakeModel("nan", name => name == "transformer.h.1.mlp.c_proj.weight", values => values[5] = float.NaN);
        MakeModel("large", name => name.Contains("h.1.mlp.c_", StringComparison.Ordinal), values => Array.Fill(values, 1e30f));
    }

    public static TheoryData<string> Verbs =>
    [
        "score --method eap --out OUT.json", "score --method exact", "score --method eap-ig --metric kl", "score --method eap-gp",
        "score --method ensemble --of magnitude,exact",
        "score --method eap-ig-activations", "score --method clean-corrupted", "score --method information-flow-routes",
        "evaluate --circuit CIRCUIT", "curve --scores SCORES --out OUT.csv", "completeness --circuit CIRCUIT --random 1 --greedy-runs 0",
        "minimality --circuit CIRCUIT --random 1", "test-circuit --circuit CIRCUIT --random 1 --out OUT.json", "path-patch",
        "acdc --tau 0.01 --out OUT.json",
        "edge-prune --sparsity 0.5 --steps 5 --out OUT.json", "hap --sparsity 0.5 --steps 5 --out OUT.json",
        "search --method acdc --threshold 0.01 --out OUT.json", "benchmark --methods eap,acdc --sparsity 0.5 --out OUT",
    ];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void A_weight_that_is_NaN_is_named_by_every_verb(string verb) =>
        Run("nan", verb).Fails(1, "model.safetensors: element [0, 5] of tensor 'transformer.h.1.mlp.c_proj.weight' is NaN",
            "'gradpath info --weights' lists all such tensors");

    [Theory]
    [MemberData(nameof(Verbs))]
    public void A_model_that_overflows_gives_no_result(string verb)
    {
        Cli run = Run("large", verb).Fails(
            1, " is not a number: the model or the metric overflowed on these prompts; check the checkpoint with "
            + "'gradpath info --weights'");
        Assert.DoesNotContain("faithfulness", run.Out, StringComparison.Ordinal);
        Assert.False(File.Exists(_model.Path("out.json")) || File.Exists(_model.Path("out.csv")), "a result was written");
    }

    [Fact]
    public void Info_lists_every_tensor_and_fails_where_one_is_not_finite()
    {
        Cli run = Cli.Run("info", "--weights", "--model", _model.Path("nan"));
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(
            $"warning: {_model.Path("nan")}: transformer.h.1.mlp.c_proj.weight holds values that are not finite numbers: no command runs "
            + "this model\n", run.Error);
        Assert.Contains("1 of 28 tensors hold values that are not finite\n", run.Out, StringComparison.Ordinal);
        Assert.Matches(@"transformer\.h\.1\.mlp\.c_proj\.weight +\[16, 8\] +F32 +-\S+ +\d\S* +\d\S* +1 +0 *\n", run.Out);
        Assert.Matches(@"transformer\.ln_f\.bias +\[8\] +F32 +-\S+ +\d\S* +\d\S* +0 +0 *\n", run.Out);
        Cli.Run("info", "--weights", "--model", _model.Path("large")).Succeeds("1E+30", "all values of all 28 tensors are finite");
        Assert.DoesNotContain("tensor", Cli.Run("info", "--model", _model.Path("nan")).Succeeds().Out, StringComparison.Ordinal);
    }

    private Cli Run(string model, string verb)
    {
        string text = verb.Replace("CIRCUIT", _model.Path("circuit.json"), StringComparison.Ordinal)
            .Replace("SCORES", _model.Scores(), StringComparison.Ordinal).Replace("OUT", _model.Path("out"), StringComparison.Ordinal);
        return Cli.Run([.. text.Split(' '), "--model", _model.Path(model), "--data", _model.Pairs, "--threads", "1"]);
    }

    private void MakeModel(string name, Predicate<string> isChanged, Action<float[]> change)
    {
        if (Directory.Exists(_model.Path(name))) return;
        Directory.CreateDirectory(_model.Path(name));
        File.Copy(Path.Combine(_model.ModelDirectory, "config.json"), Path.Combine(_model.Path(name), "config.json"));
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(_model.ModelDirectory, "model.safetensors"));
        SafetensorsWriter writer = new();
        foreach (SafetensorsEntry entry in file.Entries.Values)
        {
            float[] values = file.ReadFloats(entry.Name);
            if (isChanged(entry.Name)) change(values);
            writer.Add(entry.Name, values, [.. entry.Shape.Select(extent => (int)extent)]);
        }
        writer.Write(Path.Combine(_model.Path(name), "model.safetensors"));
    }
}
