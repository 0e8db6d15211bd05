using Gradpath.Perf.Ops;
using Gradpath.Perf.Paths;
using Gradpath.Programs;

namespace Gradpath.Perf;

/// <summary>The program without its process.</summary>
internal static class PerfApp
{
    /// <summary>The program's name, for messages.</summary>
    public const string Name = "perf";

    private static readonly VerbProgram s_program = new(Name, "how fast Gradpath is",
    [
        Verb.Of<RunOptions>(RunCommand.Run),
        Verb.Of<SavingsOptions>(SavingsCommand.Run),
        Verb.Of<ProfileOptions>(ProfileCommand.Run),
        Verb.Of<ScalingOptions>(ScalingCommand.Run),
        Verb.Of<PathsOptions>(PathsCommand.Run),
        Verb.Of<OpsOptions>((o, terminal, _) => OpsCommand.Run(o, terminal)),
        Verb.Of<ProductOptions>(GemmAgainstOpenBlas.Run),
        Verb.Of<MethodTimesOptions>(MethodTimes.Run),
        Verb.Of<PeerTimesOptions>(PeerTimes.Run),
        Verb.Of<KernelTableOptions>(KernelTable.Run),
        Verb.Of<CircuitTimesOptions>((_, _) => CircuitTimes.Run()),
        Verb.Of<ExactTimesOptions>((_, _) => ExactTimes.Run()),
        Verb.Of<AcdcTimesOptions>((o, _) => AcdcTimes.Run(o)),
        Verb.Of<DiscoveryTimesOptions>(DiscoveryTimes.Run),
    ]);

    /// <summary>Runs one command.</summary>
    /// <param name="args">The command line without the program's name.</param>
    /// <param name="input">Standard input.</param>
    /// <param name="output">Results.</param>
    /// <param name="error">Progress and errors.</param>
    /// <param name="cancellation">Stops the command.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string[] args, TextReader input, TextWriter output, TextWriter error, CancellationToken cancellation) =>
        Run(args, new Terminal(input, output, error), cancellation);

    /// <summary>Runs one command on a terminal.</summary>
    /// <param name="args">The command line without the program's name.</param>
    /// <param name="terminal">Where to read and write.</param>
    /// <param name="cancellation">Stops the command.</param>
    /// <returns>The exit code.</returns>
    public static int Run(string[] args, Terminal terminal, CancellationToken cancellation)
    {
        // "profile W1" is short for "profile --work W1".
        if (args is ["profile", [not '-', ..] work, .. var others]) args = ["profile", "--work", work, .. others];
        return s_program.Run(args, terminal, cancellation);
    }
}
