using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Kernels;

namespace Gradpath.Host.Tests;

/// <summary>Names as people write them: in any case, with dashes, underscores or none, and as papers have them.</summary>
public sealed class NamesTests
{
    [Theory]
    [InlineData("EAP-IG", "eap-ig")]
    [InlineData("EAP-IG-inputs", "eap-ig")]
    [InlineData("eap_ig", "eap-ig")]
    [InlineData("eapig", "eap-ig")]
    [InlineData("EAP-IG (activations)", "eap-ig-activations")]
    [InlineData("Exact_Patching", "exact")]
    [InlineData("Information flow routes", "information-flow-routes")]
    public void Methods(string written, string name) => Assert.Equal(name, AttributionMethods.Find(written).Name);

    [Theory]
    [InlineData("logit_diff", "logit-diff")]
    [InlineData("Logit difference", "logit-diff")]
    [InlineData("prob_diff", "prob-diff")]
    [InlineData("kl_divergence", "kl")]
    [InlineData("KL", "kl")]
    public void Metrics(string written, string name) => Assert.Equal(name, BuiltInMetrics.Find(written).Name);

    [Theory]
    [InlineData("IOI", "ioi")]
    [InlineData("greater_than", "greater-than")]
    [InlineData("Indirect object identification", "ioi")]
    [InlineData("Subject-verb agreement", "sva")]
    public void Tasks(string written, string name) => Assert.Equal(name, TaskCatalog.Find(written).Name);

    [Theory]
    [InlineData("edge_prune", "edge-prune")]
    [InlineData("Edge pruning", "edge-prune")]
    [InlineData("ACDC", "acdc")]
    [InlineData("path_patching", "path-patch")]
    public void Searches(string written, string name) => Assert.Equal(name, CircuitSearches.Find(written).Name);

    [Theory]
    [InlineData("Mean_Positional", Ablation.MeanPositional)]
    [InlineData("PATCHING", Ablation.Patching)]
    public void Ablations(string written, Ablation value) => Assert.Equal(value, EnumNames.Parse<Ablation>("ablation", written));

    [Fact]
    public void Precisions()
    {
        Assert.Equal(MatrixPrecision.Float32, EnumNames.Parse<MatrixPrecision>("precision", "float32"));
        Assert.Equal(MatrixPrecision.BFloat16, EnumNames.Parse<MatrixPrecision>("precision", "BF16"));
    }

    [Fact]
    public void Circuits_found_by_hand() => Assert.Same(GroundTruth.Find("greater-than"), GroundTruth.Find("Greater_Than"));

    [Fact]
    public void Verbs_devices_and_values()
    {
        Cli.Run("TASKS").Succeeds("ioi");
        Cli.Run("Edge_Prune", "--help").Succeeds("--sparsity");
        Cli.Run("help", "edge_prune").Succeeds("--sparsity");
        Cli.Run("info", "--model", "demo", "--device", "CPU").Succeeds("1,519");
        Cli.Run("selftest", "--device", "CUDA:x").Fails(
            2, "--device cuda:x: no such device; did you mean cuda:N? choose auto, cpu, cuda or cuda:N");
        Cli.Run("acdc", "--model", "demo", "--task", "IOI", "--objective", "Metrc", "--out", "a.json").Fails(2, "did you mean metric?");
    }

    [Theory]
    [InlineData("no such command; did you mean score?", "scor")]
    [InlineData("no such command; did you mean path-patch?", "path_pach")]
    [InlineData("--modle: there is no such option; did you mean --model?", "info", "--modle", "demo")]
    [InlineData("--top_n: there is no such option; did you mean --top-n?", "circuit", "--top_n", "3")]
    [InlineData("did you mean eap-gp?", "score", "--model", "demo", "--task", "ioi", "--method", "eapgo")]
    [InlineData("did you mean zero?", "score", "--model", "demo", "--task", "ioi", "--method", "eap", "--ablation", "zer")]
    [InlineData("did you mean logit-diff?", "score", "--model", "demo", "--task", "ioi", "--metric", "logit-dif")]
    [InlineData("did you mean greater-than?", "prompts", "--model", "demo", "--task", "greater", "--out", "p.jsonl")]
    [InlineData("did you mean tf32?", "score", "--model", "demo", "--task", "ioi", "--precision", "tf3")]
    [InlineData("did you mean cuda?", "selftest", "--device", "cud")]
    public void What_was_meant_is_said(string mention, params string[] command) => Cli.Run(command).Fails(2, mention);
}
