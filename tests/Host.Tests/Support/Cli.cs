using System.Text;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Host.Tests;

/// <summary>One run of the program inside the test's process.</summary>
internal sealed record Cli(int ExitCode, string Out, string Error)
{
    public static Cli Run(params string[] args) => RunWith("", CancellationToken.None, args);

    /// <summary>Runs the program with variables of the environment; other runs have none.</summary>
    public static Cli RunWithVariables(Dictionary<string, string> variables, params string[] args)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        Terminal terminal = new(TextReader.Null, output, error)
        {
            Time = new StillTime(),
            Variable = name => variables.GetValueOrDefault(name),
        };
        int code = GradpathApp.Run(args, terminal, CancellationToken.None);
        return new Cli(code, output.ToString(), error.ToString());
    }

    public static Cli RunWith(string input, CancellationToken cancellation, params string[] args)
    {
        StringBuilder output = new(), error = new();
        using StringReader reader = new(input);
        using StringWriter outWriter = new(output) { NewLine = "\n" }, errorWriter = new(error) { NewLine = "\n" };
        Terminal terminal = new(reader, outWriter, errorWriter) { Time = new StillTime(), Variable = _ => null };
        int code = GradpathApp.Run(args, terminal, cancellation);
        return new Cli(code, output.ToString(), error.ToString());
    }

    /// <summary>Runs the program and stops it, as Ctrl-C does, at the first report of progress at which something holds.</summary>
    public static Cli StoppedWhen(Func<RunProgress, bool> condition, params string[] args)
    {
        using CancellationTokenSource source = new();
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        Terminal terminal = new(TextReader.Null, output, error)
        {
            Watcher = new Stop(source, condition),
            Time = new StillTime(),
            Variable = _ => null,
        };
        int code = GradpathApp.Run(args, terminal, source.Token);
        return new Cli(code, output.ToString(), error.ToString());
    }

    /// <summary>Asserts a failure of one line on the error stream, without a stack trace.</summary>
    public Cli Fails(int code, params string[] mentions)
    {
        Assert.True(code == ExitCode, $"exit code {ExitCode} instead of {code}:\n{Error}{Out}");
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
        string failure = Unexpected.First(line => !line.StartsWith("warning: ", StringComparison.Ordinal));
        Assert.StartsWith("gradpath: ", failure, StringComparison.Ordinal);
        foreach (string mention in mentions) Assert.Contains(mention, Error, StringComparison.Ordinal);
        return this;
    }

    /// <summary>Asserts success with nothing on the error stream but notes, such as that a circuit was found on other prompts.</summary>
    public Cli Succeeds(params string[] mentions)
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}:\n{Error}{Out}");
        Assert.Empty(Unexpected);
        foreach (string mention in mentions) Assert.Contains(mention, Out, StringComparison.Ordinal);
        return this;
    }

    /// <summary>Asserts success with one warning on the error stream.</summary>
    public Cli Warns(string warning, params string[] mentions)
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}:\n{Error}{Out}");
        string said = Assert.Single(Unexpected);
        Assert.StartsWith("warning: ", said, StringComparison.Ordinal);
        Assert.Contains(warning, said, StringComparison.Ordinal);
        foreach (string mention in mentions) Assert.Contains(mention, Out, StringComparison.Ordinal);
        return this;
    }

    private IEnumerable<string> Unexpected => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Where(line => !line.StartsWith("note: ", StringComparison.Ordinal));

    // A clock on which nothing takes long, however slow the machine is: no lines of progress.
    private sealed class StillTime : TimeProvider
    {
        public override long GetTimestamp() => 0;
    }

    private sealed class Stop(CancellationTokenSource source, Func<RunProgress, bool> condition) : IProgress<RunProgress>
    {
        public void Report(RunProgress value)
        {
            if (condition(value)) source.Cancel();
        }
    }
}
