using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Tests.Runs;

/// <summary>What would go on, or be stated, as a wrong number.</summary>
public sealed class ProgressHashTests
{
    [Fact]
    public void A_state_that_changed_on_the_disk_is_refused()
    {
        using TempFolder folder = new();
        var file = new ProgressFile(folder["out.json"], "acdc", new JsonObject { ["--tau"] = 0.1 });
        file.Save(new JsonObject { ["values"] = RunCheckpoint.Pack<double>([1, 2, 3]), ["done"] = 1.5 });
        Assert.Equal(1.5, (double)file.Load()["done"]!);
        string text = File.ReadAllText(file.Path);
        File.WriteAllText(file.Path, text.Replace("1.5", "1.6", StringComparison.Ordinal));
        Assert.Contains("delete it to start over", Assert.Throws<GradpathException>(file.Load).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_item_has_no_interval() =>
        Assert.Equal((double.NaN, double.NaN), Faithfulness.Interval([1.0], [0.5], [0.0]));
}
