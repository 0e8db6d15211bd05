namespace Gradpath.Host.Tests;

public class ScoreUsageTests
{
    [Theory]
    [InlineData("eap", "'eap' belongs to no option")]
    [InlineData("--bogus", "no option 'bogus'")]
    [InlineData("--method guess", "--method guess", "eap-gp")]
    [InlineData("--metric f1", "--metric f1", "logit-diff, prob-diff or kl")]
    [InlineData("--method eap --steps 3", "--steps does not apply to eap;", "eap-ig, eap-ig-activations or eap-gp take it")]
    [InlineData("--method eap-ig --ablation zero", "--ablation does not apply to eap-ig;", "exact")]
    [InlineData("--method eap-gp --ig-points left", "--ig-points does not apply to eap-gp;", "eap-ig takes it")]
    [InlineData("--method eap-ig --path-objective metric", "--path-objective does not apply to eap-ig;", "eap-gp takes it")]
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
    [InlineData("--method eap-gp --path-eta 2", "1 or match")]
    [InlineData("--steps 0", "--steps 0: must be at least 1")]
    [InlineData("--steps many", "'steps'")]
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

    [SkippableFact]
    public void A_file_that_cannot_be_written_is_noticed_before_the_work()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "needs a directory in which nobody may write");
        Cli.Run("score", "--model", "nothing", "--task", "ioi", "--out", "/proc/scores.json").Fails(2, "--out", "cannot write /proc/scores.json");
        Cli.Run("score", "--model", "nothing", "--task", "ioi", "--record-path", "/proc/path.csv").Fails(2, "--record-path", "cannot write /proc/path.csv");
    }

    [Fact]
    public void The_model_is_required() => Cli.Run("score", "--task", "ioi").Fails(2, "'model'");

    [Fact]
    public void Prompts_are_required() => Cli.Run("score", "--model", "demo").Fails(2, "--task");

    [Fact]
    public void A_seed_is_for_generated_prompts() =>
        Cli.Run("score", "--model", "demo", "--data", "x.jsonl", "--seed", "3").Fails(2, "--seed");

    [Fact]
    public void An_unknown_task_is_named() => Cli.Run("score", "--model", "demo", "--task", "chess").Fails(2, "chess", "ioi", "hypernymy");
}
