using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Tests;

public sealed class TasksTests
{
    [Fact]
    public void Every_task_is_listed_with_metric_and_example()
    {
        string[] blocks = Cli.Run("tasks").Succeeds("correct_idx").Out.Split("\n\n");
        foreach ((CircuitTask task, string block) in TaskCatalog.All.Zip(blocks))
        {
            Assert.StartsWith($"{task.Name}  (metric ", block, StringComparison.Ordinal);
            Assert.Contains(task.Description, block, StringComparison.Ordinal);
            Assert.Contains("  clean      ", block, StringComparison.Ordinal);
            Assert.Contains("  corrupted  ", block, StringComparison.Ordinal);
        }
    }
}
