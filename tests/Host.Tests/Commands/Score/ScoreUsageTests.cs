using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Attribution;

namespace Gradpath.Host.Tests;

public sealed class ScoreUsageTests
{
    [Theory]
    [InlineData("eap", "'eap' belongs to no option")]
    [InlineData("--bogus", "--bogus: there is no such option")]
    [InlineData("--method guess", "--method guess", "eap-gp")]
    [InlineData("--metric f1", "--metric f1", "choose logit-diff, ")]
    [InlineData("--method eap --steps 3", "--steps does not apply to eap;")]
    [InlineData("--method eap-ig --ablation zero", "--ablation does not apply to eap-ig;", "exact")]
    [InlineData("--method eap-gp --ig-points left", "--ig-points does not apply to eap-gp;", "eap-ig, ceap or ensemble take it")]
    [InlineData("--method eap-ig --path-objective metric", "--path-objective does not apply to eap-ig;", "eap-gp or ensemble take it")]
    [InlineData("--method eap --path-norm item", "--path-norm")]
    [InlineData("--method eap --path-eta match", "--path-eta")]
    [InlineData("--method eap --path-start clean", "--path-start")]
    [InlineData("--method eap --path-outer path", "--path-outer")]
    [InlineData("--method exact --record-path p.csv", "--record-path does not apply to exact;")]
    [InlineData("--method information-flow-routes --metric kl", "--metric does not apply to information-flow-routes;")]
    [InlineData("--method random --steps 3", "--steps does not apply to random;")]
    [InlineData("--method random --metric kl", "--metric does not apply to random;")]
    [InlineData("--method magnitude --ablation zero", "--ablation does not apply to magnitude;")]
    [InlineData("--method eap-gp --path-objective nearest", "logits-all", "residual-final-last")]
    [InlineData("--method eap-gp --path-eta 2", "1, match or distance")]
    [InlineData("--method eap-gp --preset publishd", "--preset publishd", "published, unsaturated or saturated")]
    [InlineData("--method eap --preset published", "--preset published does not apply to --method eap; it is for eap-gp.")]
    [InlineData(
        "--method ensemble --of eap-ig,relp --preset published",
        "--preset published does not apply to --method ensemble; of the members eap-ig, relp none takes it; name eap-gp with --of.")]
    [InlineData("--method eap-gp --path-eta distance --path-objective metric", "does not go with --path-objective metric")]
    [InlineData("--method eap-gp --path-eta distance --path-norm batch --batch-size 2", "does not go with --path-norm batch")]
    [InlineData("--method eap-gp --path-eta match --path-direction line --path-objective metric", "decides nothing")]
    [InlineData(
        "--method eap-gp --preset published --path-direction line",
        "gradpath: --preset published does not go with --path-direction line: its steps follow the logits' distance, and such a line")]
    [InlineData("--method ensemble --of eap", "--of eap: an ensemble has at least two members")]
    [InlineData("--method ensemble --of eap,relp,EAP", "--of eap,relp,eap: eap appears twice")]
    [InlineData("--method ensemble --of eap,ensemble", "--of ensemble: an ensemble is no member of another")]
    [InlineData("--method ensemble --of eap,eap-gi", "--of eap-gi", "did you mean eap-ig?")]
    [InlineData("--method ensemble --by median", "--by median", "mean-rank, min, max or product")]
    [InlineData("--method ensemble --of eap,relp --steps 3", "--steps does not apply to ensemble, no member of which takes it; eap-ig")]
    [InlineData("--method ensemble --of eap,eap-ig --ablation zero", "--ablation zero does not apply to the member eap-ig;", "--of")]
    [InlineData(
        "--method ensemble --of eap-ig,eap --metric kl", "--metric kl: EAP, a member of the ensemble, has no scores for it",
        "--of needs members such as eap-ig, eap-ig-activations, ceap, clean-corrupted, eap-gp or exact, or another --metric.")]
    [InlineData("--method eap --metric kl", "--metric kl: EAP has no scores for it", "eap-gp, ensemble or exact, or another --metric.")]
    [InlineData("--method ensemble --of magnitude,random --verify 10", "--verify does not apply to --method ensemble", "atp-star or exact")]
    [InlineData("--method ensemble --per-item i.safetensors", "--method ensemble", "scores per prompt pair")]
    [InlineData("--method ensemble --record-path p.csv", "--record-path does not apply to ensemble;")]
    [InlineData("--method eap --of eap,relp", "--of does not apply to --method eap; ensemble takes it.")]
    [InlineData("--method eap --by min", "--by does not apply to --method eap; ensemble takes it.")]
    [InlineData("--verify 3", "--verify 3: must be from 4")]
    [InlineData("--verify 10 --verify-share 0.9", "--verify-share 0.9")]
    [InlineData("--verify-found 10", "--verify-found needs --verify")]
    [InlineData("--verify-share 0.1", "--verify-share needs --verify")]
    [InlineData("--verify 10 --method magnitude", "--verify does not apply to --method magnitude", "atp-star")]
    [InlineData("--steps 0", "--steps 0: must be from 1 to 10000")]
    [InlineData("--steps many", "--steps many: 'many' is not a whole number")]
    [InlineData("--batch-size -1", "--batch-size")]
    [InlineData("--hard-corruption", "--hard-corruption")]
    [InlineData("--seed -3", "--seed -3")]
    [InlineData("--limit 0", "--limit 0")]
    [InlineData("--top -1", "--top -1")]
    [InlineData("--threads 0", "--threads 0")]
    [InlineData("--device tpu", "--device tpu", "cpu")]
    [InlineData("--normalization library", "needs --batch-size")]
    [InlineData("--out scores.csv", "--out", ".json or .safetensors")]
    [InlineData("--out nowhere/scores.json", "--out", "does not exist")]
    [InlineData("--out .", "--out", "no extension")]
    [InlineData("--record-path path.txt", "--record-path", ".csv")]
    [InlineData("--record-path nowhere/path.csv", "--record-path", "does not exist")]
    public void A_wrong_option_is_named(string options, params string[] mentions) =>
        Cli.Run([.. "score --model nothing --task ioi".Split(' '), .. options.Split(' ')]).Fails(2, mentions);

    [Fact]
    public void The_methods_that_take_an_option_are_named()
    {
        string takers = EnumNames.Choice(AttributionMethods.All.Where(m => m.Takes(MethodSettings.Steps)).Select(m => m.Name));
        Assert.StartsWith("eap-ig, eap-ig-activations", takers, StringComparison.Ordinal);
        Cli.Run("score", "--model", "nothing", "--task", "ioi", "--method", "eap", "--steps", "3")
            .Fails(2, $"--steps does not apply to eap; {takers} take it.");
    }

    [Theory]
    [InlineData("EAP-IG-inputs", "eap-ig")]
    [InlineData("eap_gp", "eap-gp")]
    [InlineData("IFR", "information-flow-routes")]
    public void A_method_may_be_called_by_another_name(string name, string method) =>
        Cli.Run("score", "--model", "demo", "--task", "ioi", "--limit", "1", "--top", "0", "--method", name).Succeeds($"{method}");

    [Theory]
    [InlineData("unsaturated", "--path-start corrupted --path-direction line")]
    [InlineData("saturated", "--path-start clean --path-direction mixed")]
    [InlineData("published", "--path-objective logits-all --path-norm item --path-eta 1 --path-start clean --path-direction gradient")]
    public void A_preset_is_its_options(string preset, string options)
    {
        string Scores(params string[] more) => Cli.Run(
            ["score", "--model", "demo", "--task", "ioi", "--limit", "3", "--threads", "1", "--method", "eap-gp", "--json", .. more])
            .Succeeds().Out;
        string Table(string output) => JsonNode.Parse(output)!["tables"]!.ToJsonString();
        string named = Table(Scores("--preset", preset));
        Assert.Equal(named, Table(Scores(options.Split(' '))));
        Assert.NotEqual(named, Table(Scores()));
    }

    [Fact]
    public void A_method_that_may_have_been_meant_is_named() =>
        Cli.Run("score", "--model", "nothing", "--task", "ioi", "--method", "eap-gi").Fails(2, "--method eap-gi", "did you mean eap-ig?");

    [Fact]
    public void Help_names_every_method()
    {
        string help = Cli.Run("score", "--help").Succeeds().Out;
        Assert.All(AttributionMethods.All, m => Assert.Contains(m.Name, help, StringComparison.Ordinal));
    }

    [SkippableFact]
    public void A_file_that_cannot_be_written_is_noticed_before_the_work()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs a directory in which nobody may write");
        Cli.Run("score", "--model", "nothing", "--task", "ioi", "--out", "/proc/scores.json").Fails(
            2, "--out", "cannot write /proc/scores.json");
        Cli.Run("score", "--model", "nothing", "--task", "ioi", "--record-path", "/proc/path.csv").Fails(
            2, "--record-path", "cannot write /proc/path.csv");
    }

    [Fact]
    public void The_model_is_required() => Cli.Run("score", "--task", "ioi").Fails(2, "--model is needed");

    [Fact]
    public void Prompts_are_required() => Cli.Run("score", "--model", "demo").Fails(2, "--task");

    [Fact]
    public void A_seed_is_for_generated_prompts() =>
        Cli.Run("score", "--model", "demo", "--data", "x.jsonl", "--seed", "3").Fails(2, "--seed");

    [Fact]
    public void An_unknown_task_is_named()
    {
        Cli.Run("score", "--model", "demo", "--task", "chess").Fails(2, "chess", "ioi", "hypernymy");
        Cli.Run("score", "--model", "demo", "--task", "ioj").Fails(2, "--task ioj: no such task; did you mean ioi?");
    }
}
