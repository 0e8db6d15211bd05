// Allocations are counted over all threads, and times mean something only where one test runs at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Gradpath.Perf.Tests;

/// <summary>Runs the benchmarks' program in this process.</summary>
internal static class PerfCli
{
    public static (int Code, string Output, string Error) Run(params string[] args)
    {
        using StringWriter output = new(), error = new();
        int code = PerfApp.Run(args, TextReader.Null, output, error, CancellationToken.None);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>Runs it and requires success and some words.</summary>
    public static string Succeeds(string command, params string[] mentions)
    {
        (int code, string output, string error) = Run(command.Split(' '));
        Assert.True(code == 0, $"exit code {code}: {error}{output}");
        foreach (string mention in mentions) Assert.Contains(mention, output, StringComparison.Ordinal);
        return output;
    }
}
