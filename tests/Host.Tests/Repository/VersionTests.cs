using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Gradpath.Host.Tests;

/// <summary>The places that say which version this is agree.</summary>
public sealed partial class VersionTests
{
    [Fact]
    public void The_program_the_citation_the_changes_and_the_sample_name_one_version()
    {
        string version = XDocument.Load(InRoot("Directory.Build.props")).Descendants("Version").Single().Value;
        Assert.Equal(version, First(Citation(), "CITATION.cff"));
        Assert.Equal(version, First(Change(), "CHANGELOG.md"));
        Assert.Equal(version, First(Package(), "samples/Embed/Embed.csproj"));
        Cli.Run("--version").Succeeds(version);
    }

    private static string First(Regex pattern, string file)
    {
        Match match = pattern.Match(File.ReadAllText(InRoot(file)));
        Assert.True(match.Success, $"{file} names no version");
        return match.Groups[1].Value;
    }

    private static string InRoot(string file) => Path.Combine(RepositoryFiles.Root, file);

    [GeneratedRegex(@"^version: (\S+)", RegexOptions.Multiline)]
    private static partial Regex Citation();

    [GeneratedRegex("Include=\"Gradpath\" Version=\"([^\"]+)\"")]
    private static partial Regex Package();

    // The newest version has the first heading of that size.
    [GeneratedRegex(@"^## (\S+)", RegexOptions.Multiline)]
    private static partial Regex Change();
}
