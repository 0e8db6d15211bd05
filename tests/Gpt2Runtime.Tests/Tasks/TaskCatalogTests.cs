using Gradpath.Gpt2Runtime.Evaluation;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Gpt2Runtime.Tests.Tasks;

/// <summary>The table of tasks: names, what every row says, and what else lists tasks.</summary>
public sealed class TaskCatalogTests
{
    public static TheoryData<string> Names => [.. TaskCatalog.All.Select(t => t.Name)];

    [Theory]
    [InlineData("greater-than")]
    [InlineData(" Greater_Than ")]
    public void A_name_is_found_however_it_is_written(string name) => Assert.Equal("greater-than", TaskCatalog.Find(name).Name);

    [Fact]
    public void Names_are_names_of_one_task_each()
    {
        Assert.Equal(TaskCatalog.All.Count, TaskCatalog.All.Select(t => t.Name).Distinct().Count());
        Assert.All(TaskCatalog.All, t =>
        {
            Assert.Matches("^[a-z]+(-[a-z]+)*$", t.Name);
            Assert.Same(t, TaskCatalog.Find(t.Name.ToUpperInvariant()));
            Assert.Equal(t.Name, t.ToString());
        });
    }

    [Theory]
    [InlineData("ioj", "did you mean ioi?")]
    [InlineData("greater_then", "did you mean greater-than?")]
    [InlineData("chess", "no such task; choose ioi, greater-than")]
    public void An_unknown_name_is_answered_with_what_there_is(string name, string expected)
    {
        string message = Assert.Throws<OptionException>(() => TaskCatalog.Find(name)).Message;
        Assert.StartsWith($"Task {name}: ", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_row_describes_its_task(string name)
    {
        CircuitTask task = TaskCatalog.Find(name);
        Assert.Matches(@"^[A-Z].*\.$", task.Description);
        Assert.Equal(["clean", "corrupted"], task.Columns.Take(2));
        Assert.All(task.OldColumns, c => Assert.Contains(c.New, task.Columns));
        Assert.NotEqual(task.Example.Clean, task.Example.Corrupted);
        Assert.NotEqual(task.Example.Answers, task.Example.WrongAnswers);
        Assert.All((string[])[task.Example.Clean, task.Example.Answers, task.Example.WrongAnswers], Assert.NotEmpty);
    }

    /// <summary>README's table is the rows', word for word.</summary>
    [Fact]
    public void The_readme_lists_every_task()
    {
        string[] lines = File.ReadAllLines(Path.Combine(RepositoryFiles.Root, "README.md"));
        int head = Array.FindIndex(lines, l => l.StartsWith("| task |", StringComparison.Ordinal));
        Assert.Equal(
            TaskCatalog.All.Select(t => $"| `{t.Name}` | {t.Description} | \"{t.Example.Clean}\" | {t.Example.Answers} |"),
            lines.Skip(head + 2).TakeWhile(l => l.StartsWith('|')));
    }

    [Fact]
    public void A_circuit_found_by_hand_is_one_of_a_task() =>
        Assert.All(GroundTruth.All, truth => Assert.Equal(truth.Name, TaskCatalog.Find(truth.Name).Name));
}
