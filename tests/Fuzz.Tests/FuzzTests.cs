using System.Text;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Fuzz.Tests;

/// <summary>A short run of every reader, the same on every machine, and that the harness finds what it looks for.</summary>
public sealed class FuzzTests
{
    private const int Inputs = 3000;

    public static TheoryData<string> Readers => [.. FuzzReaders.All.Select(reader => reader.Name)];

    [Theory]
    [MemberData(nameof(Readers))]
    public void Damaged_files_are_read_or_refused_with_a_message(string name)
    {
        using Fuzzer fuzzer = new(FuzzReaders.All.Single(reader => reader.Name == name), seed: 1);
        fuzzer.ReadSamples();
        for (int index = 0; index < Inputs; index++)
        {
            if (fuzzer.Run(index) is { } finding) Assert.Fail($"{finding}\n{Encoding.Latin1.GetString(finding.Input)}");
        }
        Assert.True(fuzzer.Accepted > 0, $"all of {fuzzer.Refused} inputs were refused: nothing behind the first check was tried");
        Assert.Equal(fuzzer.RefusesNothing, fuzzer.Refused == 0);
    }

    [Fact]
    public void The_documentation_has_a_row_for_every_reader()
    {
        string[] rows = File.ReadAllLines(Path.Combine(RepositoryFiles.Root, "docs/file-formats.md"))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('`')[1]).ToArray();
        Assert.Equal(FuzzReaders.All.Select(reader => reader.Name), rows);
    }

    [Theory]
    [InlineData("exception", "InvalidOperationException")]
    [InlineData("lines", "a message of several lines")]
    [InlineData("memory", "bytes were allocated for an input of")]
    public void What_goes_wrong_is_found(string how, string message)
    {
        FuzzReader reader = new("wrong", "x.json", _ => new FuzzTarget(["{}"u8.ToArray()], _ =>
        {
            if (how == "exception") throw new InvalidOperationException("wrong");
            if (how == "lines") throw new GradpathException("one\ntwo");
            GC.KeepAlive(new byte[64 << 20]);
        }));
        using Fuzzer fuzzer = new(reader, 1);
        Assert.Contains(message, fuzzer.Run(0)!.ToString(), StringComparison.Ordinal);
        Assert.StartsWith(
            "wrong: tests/fuzz --reader wrong --seed 1 --first 0 --inputs 1: ", fuzzer.Run(0)!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_seed_damages_the_same_way()
    {
        byte[][] samples = [Encoding.UTF8.GetBytes("{\"a\": [1, 2.5, \"text\"],\n \"b\": {\"c\": true}}\n")];
        byte[][] inputs = [.. Enumerable.Range(0, 300).Select(i => new Mutator(7, "x", i).Mutate(samples, false))];
        Assert.Equal(inputs, Enumerable.Range(0, 300).Select(i => new Mutator(7, "x", i).Mutate(samples, false)));
        Assert.True(inputs.Select(Convert.ToBase64String).Distinct().Count() > 250, "the damage repeats");
        Assert.NotEqual(inputs[0], new Mutator(8, "x", 0).Mutate(samples, false));
        Assert.NotEqual(inputs[0], new Mutator(7, "y", 0).Mutate(samples, false));
    }
}
