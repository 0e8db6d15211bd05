using System.Text.RegularExpressions;

namespace Gradpath.Gpt2Runtime.Tests;

/// <summary>The library's messages speak of properties. What a command line calls them is the command line's business.</summary>
public sealed partial class MessageTests
{
    [Fact]
    public void No_text_of_the_library_speaks_of_command_line_options_or_commands()
    {
        string library = Path.Combine(RepositoryFiles.Root, "src/Gpt2Runtime");
        string[] files =
        [
            .. Directory.GetFiles(library, "*.cs", SearchOption.AllDirectories)
                .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal)),
        ];
        Assert.True(files.Length > 150);
        var found = new List<string>();
        foreach (string file in files)
        {
            foreach ((string line, int number) in File.ReadLines(file).Select((line, i) => (line, i + 1)))
            {
                if (line.TrimStart().StartsWith("//", StringComparison.Ordinal)) continue;
                if (Literal().Matches(line).Any(literal => Spoken().IsMatch(literal.Value)))
                    found.Add($"{Path.GetRelativePath(library, file)}:{number}: {line.Trim()}");
            }
        }
        Assert.Empty(found);
    }

    [Fact]
    public void A_message_is_worded_for_whoever_shows_it()
    {
        var option = new OptionException($"{Terms.BatchSize.With(-1)}: must be {0.5} or {"more"}, see {Terms.Steps}");
        Assert.Equal("BatchSize -1: must be 0.5 or more, see Steps", option.Message);
        Assert.Equal("[BatchSize|-1]: must be 0.5 or more, see [Steps|]", option.Describe(t => $"[{t.Name}|{t.Value}]"));
        Assert.IsAssignableFrom<ArgumentException>(option);
        GradpathException data = GradpathException.Worded($"x.json: use {{fewer}} {Terms.FewerPrompts}", new IOException());
        Assert.Equal("x.json: use {fewer} fewer or shorter prompts", data.Message);
        Assert.Equal("x.json: use {fewer} ?", data.Describe(_ => "?"));
        Assert.IsType<IOException>(data.InnerException);
        Assert.Equal("plain {0}", new GradpathException("plain {0}").Describe(_ => "?"));
    }

    // String literals of one line; a quote inside one is escaped.
    [GeneratedRegex("\"(?:\\\\.|[^\"\\\\])*\"")]
    private static partial Regex Literal();

    [GeneratedRegex("--[A-Za-z]|[Gg]radpath ")]
    private static partial Regex Spoken();
}
