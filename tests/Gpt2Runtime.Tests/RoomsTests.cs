using System.Text.RegularExpressions;

namespace Gradpath.Gpt2Runtime.Tests;

/// <summary>
/// The library's folders as a house: which room may use which. Attribution, Discovery and Evaluation stand side by side on what they share,
/// and no room uses one above it. The sources are read, so that a reference inside a method counts too.
/// </summary>
public sealed partial class RoomsTests
{
    private static readonly string Library = Path.Combine(RepositoryFiles.Root, "src/Gpt2Runtime");

    // Every room with those that it may use, from the ground up.
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Tokenization"] = [],
        ["Statistics"] = [],
        ["Checkpoints"] = ["Tokenization"],
        ["Graph"] = ["Tokenization", "Checkpoints"],
        ["Metrics"] = ["Checkpoints"],
        ["Tasks"] = ["Tokenization", "Metrics"],
        ["Positions"] = ["Checkpoints", "Graph"],
        ["Model"] = ["Checkpoints", "Graph", "Metrics", "Positions"],
        ["Runs"] = ["Checkpoints", "Graph", "Metrics", "Positions", "Tasks", "Model"],
        ["Attribution"] = ["Checkpoints", "Graph", "Metrics", "Positions", "Tasks", "Model", "Runs"],
        ["Discovery"] = ["Checkpoints", "Graph", "Metrics", "Tasks", "Model", "Runs"],
        ["Transcoders"] = ["Checkpoints", "Graph", "Model", "Runs"],
        ["Evaluation"] = ["Statistics", "Checkpoints", "Graph", "Metrics", "Positions", "Tasks", "Model", "Runs"],
        ["Compilation"] = ["Tokenization", "Checkpoints", "Graph", "Tasks"],
        ["Drawing"] = ["Graph", "Positions", "Attribution", "Discovery"],
    };

    private static readonly string[] Siblings = ["Attribution", "Discovery", "Evaluation"];

    public static TheoryData<string> Rooms => [.. MayUse.Keys];

    [Fact]
    public void Every_folder_is_a_room_of_this_table() => Assert.Equal(
        MayUse.Keys.Order(StringComparer.Ordinal),
        Directory.GetDirectories(Library)
            .Where(d => Directory.EnumerateFiles(d, "*.cs").Any())
            .Select(d => Path.GetFileName(d)!)
            .Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_uses_only_rooms_below_it(string room)
    {
        foreach ((string file, string text) in Sources(room))
        {
            foreach (Match match in Using().Matches(text))
            {
                string used = match.Groups[1].Value;
                Assert.True(used == room || MayUse[room].Contains(used), $"{room}/{file} uses {used}");
            }
        }
    }

    [Fact]
    public void Attribution_discovery_and_evaluation_do_not_mention_one_another()
    {
        foreach (string room in Siblings)
        {
            foreach ((string file, string text) in Sources(room))
            {
                string other =
                    Siblings.FirstOrDefault(s => s != room && Regex.IsMatch(text, $@"\b(Gpt2Runtime\.)?{s}\.|\busing [\w.]*{s}\b")) ?? "";
                Assert.True(other.Length == 0, $"{room}/{file} refers to {other}");
            }
        }
    }

    private static IEnumerable<(string File, string Text)> Sources(string room)
    {
        string[] files = Directory.GetFiles(Path.Combine(Library, room), "*.cs", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        return files.Select(path => (Path.GetFileName(path), File.ReadAllText(path)));
    }

    [GeneratedRegex(@"(?:\busing |\b)Gradpath\.Gpt2Runtime\.(\w+)(?<!namespace Gradpath\.Gpt2Runtime\.\w+)")]
    private static partial Regex Using();
}
