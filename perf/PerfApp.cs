using Gradpath.Perf.Ops;
using Gradpath.Programs;

namespace Gradpath.Perf;

/// <summary>The program without its process.</summary>
internal static class PerfApp
{
    private const string Comparisons = """
        usage: perf run | savings | profile WORK | scaling | ops   (each explains itself with --help)
               perf gemm [--quick] [--workers N] [--rounds N] [--shape MxNxK[t]]...
               perf methods [--shape small|medium|large|xl] [--pairs N] [--tokens N] [--batch-size N] [--rounds N] [--threads N]
               perf peers [--shape small|medium|large|xl] [--device cpu|cuda] [--python PROGRAM] [--threads N]
               perf kernels [--only NAME,...] [--json FILE] [--update]
               perf circuits | exact | acdc [candidates]
               perf discovery [SPARSITY [STEPS [SEED [TASK [PAIRS [BATCH]]]]]]
        """;

    /// <summary>The program's name, for messages.</summary>
    public const string Name = "perf";

    private static readonly VerbProgram s_program = new(Name, "how fast Gradpath is", [
        Verb.Of<RunOptions>(RunCommand.Run),
        Verb.Of<SavingsOptions>(SavingsCommand.Run),
        Verb.Of<ProfileOptions>(ProfileCommand.Run),
        Verb.Of<ScalingOptions>(ScalingCommand.Run),
        Verb.Of<OpsOptions>((o, terminal, _) => OpsCommand.Run(o, terminal)),
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
        string[] rest = args.Length > 0 ? args[1..] : [];
        switch (args.FirstOrDefault())
        {
            case "gemm": return GemmAgainstOpenBlas.Run(rest);
            case "methods": return MethodTimes.Run(rest);
            case "circuits": return CircuitTimes.Run();
            case "discovery": return DiscoveryTimes.Run(rest);
            case "exact": return ExactTimes.Run();
            case "acdc": return AcdcTimes.Run(rest);
            case "kernels": return KernelTable.Run(rest);
            case "peers": return PeerTimes.Run(rest);
            case "run" or "savings" or "profile" or "scaling" or "ops": break;
            case "--help":
                terminal.Out.WriteLine(Comparisons);
                return ExitCode.Success;
            default:
                terminal.Error.WriteLine(Comparisons);
                return ExitCode.Usage;
        }
        if (args is ["profile", [not '-', ..] work, .. var others]) args = ["profile", "--work", work, .. others];
        return s_program.Run(args, terminal, cancellation);
    }
}
