using System.Text.RegularExpressions;

namespace Gradpath.Host.Tests;

/// <summary>What the sources of the libraries may not say, and how wide they are.</summary>
public sealed partial class SourceTests
{
    private const int Width = 140;

    // A library is used without the program: what it says names properties, and no option or verb of the command line.
    [Theory]
    [InlineData("src/Kernels")]
    [InlineData("src/Diagnostics")]
    public void A_library_speaks_no_command_line(string folder)
    {
        foreach ((string place, string line) in Lines(folder, "*.cs"))
        {
            if (line.TrimStart().StartsWith("//", StringComparison.Ordinal)) continue;
            Assert.False(CommandLine().IsMatch(line), $"{place} speaks of the command line: {line.Trim()}");
        }
    }

    // Commands stand above everything else of the program, but for plans: a method's options there are those of its verb.
    [Theory]
    [InlineData("src/Host/Comparison")]
    [InlineData("src/Host/Options")]
    [InlineData("src/Host/Reports")]
    [InlineData("src/Host/Sessions")]
    [InlineData("src/Host/Sweeps/Units")]
    [InlineData("src/Host/Sweeps/Store")]
    [InlineData("src/Host/Sweeps/Merge")]
    [InlineData("src/Host/Sweeps/Engines")]
    public void What_commands_use_does_not_mention_them(string folder)
    {
        foreach ((string place, string line) in Lines(folder, "*.cs"))
            Assert.False(line.Contains("Host.Commands", StringComparison.Ordinal), $"{place} refers to a command: {line.Trim()}");
    }

    // Tests may hold a file's content, JSON mostly, as one line between triple quotes.
    [Theory]
    [InlineData("src")]
    [InlineData("perf")]
    [InlineData("tests")]
    public void Lines_are_no_wider_than_the_page(string folder)
    {
        foreach (string pattern in (string[])["*.cs", "*.cu", "*.cuh"])
        {
            foreach ((string place, string line) in Lines(folder, pattern))
            {
                if (folder == "tests" && line.Contains("\"\"\"", StringComparison.Ordinal)) continue;
                Assert.True(line.Length <= Width, $"{place} is {line.Length} characters wide; {Width} are allowed");
            }
        }
    }

    // Tables and commands to copy may be wider.
    [Theory]
    [InlineData("README.md")]
    [InlineData("CONTRIBUTING.md")]
    [InlineData("CHANGELOG.md")]
    [InlineData("docs")]
    [InlineData("models")]
    [InlineData("src")]
    public void Pages_are_no_wider_either(string pages)
    {
        string path = Path.Combine(RepositoryFiles.Root, pages);
        foreach (string file in File.Exists(path) ? [path] : Directory.GetFiles(path, "*.md", SearchOption.AllDirectories))
        {
            bool inCode = false;
            foreach ((int number, string line) in File.ReadLines(file).Index())
            {
                if (line.StartsWith("```", StringComparison.Ordinal)) inCode = !inCode;
                bool page = !inCode && !line.StartsWith('|');
                Assert.True(!page || line.Length <= Width, $"{file}:{number + 1} is {line.Length} characters wide; {Width} are allowed");
            }
        }
    }

    [Fact]
    public void Every_page_has_a_line_in_the_contents()
    {
        string docs = Path.Combine(RepositoryFiles.Root, "docs"), contents = File.ReadAllText(Path.Combine(docs, "toc.yml"));
        foreach (string file in Directory.GetFiles(docs, "*.md"))
            Assert.Contains($"href: {Path.GetFileName(file)}\n", contents, StringComparison.Ordinal);
    }

    private static IEnumerable<(string Place, string Line)> Lines(string folder, string pattern)
    {
        string root = RepositoryFiles.Root;
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(root, folder), pattern, SearchOption.AllDirectories)
            .Where(f => !Built().IsMatch(f))];
        if (pattern == "*.cs") Assert.NotEmpty(files);
        foreach (string file in files)
        {
            int number = 0;
            foreach (string line in File.ReadLines(file)) yield return ($"{Path.GetRelativePath(root, file)}:{++number}", line);
        }
    }

    [GeneratedRegex(@"[\\/](bin|obj)[\\/]")]
    private static partial Regex Built();

    // An option or a call of the program between quotes.
    [GeneratedRegex("\"[^\"]*(--[a-z]|gradpath )[^\"]*\"")]
    private static partial Regex CommandLine();
}
