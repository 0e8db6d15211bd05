using System.Globalization;

namespace Gradpath.Host.Tests;

/// <summary>models/saturated is what its card says: right, small, and flat at clean prompts.</summary>
public sealed class SaturatedModelTests
{
    private const int Pairs = 100;

    // How much smaller the gradient of the probability difference is at the clean prompt than halfway to the corrupted one.
    private const double Saturated = 30;

    [Theory]
    [InlineData("ioi")]
    [InlineData("greater-than")]
    [InlineData("sva")]
    [InlineData("gender-bias")]
    [InlineData("country-capital")]
    [InlineData("hypernymy")]
    public void Its_answers_are_right_and_its_clean_prompts_saturated(string task)
    {
        (double Metric, double Gradient)[][] pairs = Path("saturated", task, "prob-diff");
        int right = pairs.Count(p => p[2].Metric > 0.5);
        Assert.True(right >= 0.95 * Pairs, $"{right} of {Pairs} are right");
        double[] ratios = Ratios(pairs);
        Assert.True(ratios[Pairs / 2] >= Saturated, $"the median pair's gradient is {ratios[Pairs / 2]} times smaller");
    }

    // Sharper logits multiply the gradient of their difference everywhere.
    [Fact]
    public void The_logit_difference_is_not_saturated() =>
        Assert.InRange(Ratios(Path("saturated", "ioi", "logit-diff"))[Pairs / 2], 0.1, 10);

    [Fact]
    public void It_is_small_and_shares_the_demo_models_vocabulary()
    {
        string models = System.IO.Path.Combine(RepositoryFiles.Root, "models"), folder = System.IO.Path.Combine(models, "saturated");
        Assert.InRange(Directory.GetFiles(folder).Sum(f => new FileInfo(f).Length), 1, 5_000_000);
        foreach (string name in new[] { "config.json", "vocab.json", "merges.txt" })
        {
            Assert.Equal(
                File.ReadAllBytes(System.IO.Path.Combine(models, "demo", name)), File.ReadAllBytes(System.IO.Path.Combine(folder, name)));
        }
    }

    // Per pair the metric and its gradient's norm at the corrupted prompt, halfway, and at the clean prompt.
    private static (double Metric, double Gradient)[][] Path(string model, string task, string metric)
    {
        using TempFolder folder = new();
        Cli.Run("score", "--model", model, "--task", task, "--limit", $"{Pairs}", "--metric", metric, "--method", "eap-ig", "--steps", "1",
            "--ig-points", "midpoint", "--record-path", folder["path.csv"], "--top", "0").Succeeds();
        return [.. File.ReadLines(folder["path.csv"]).Skip(1).Select(l => l.Split(',')).GroupBy(c => c[1])
            .Select(g => g.Select(c => (Number(c[3]), Number(c[4]))).ToArray())];

        static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
    }

    private static double[] Ratios((double Metric, double Gradient)[][] pairs) =>
        [.. pairs.Select(p => p[1].Gradient / p[2].Gradient).Order()];
}
