namespace Gradpath.Host;

/// <summary>The program without its process.</summary>
internal static class GradpathApp
{
    /// <summary>The program's name, for messages.</summary>
    public const string Name = "gradpath";

    private static readonly VerbProgram s_program = new(Name, "circuit discovery in GPT-2", VerbTable.All, ShortForms.Short);

    /// <summary>Runs one command.</summary>
    /// <param name="args">The command line without the program's name.</param>
    /// <param name="input">Standard input.</param>
    /// <param name="output">Results.</param>
    /// <param name="error">Progress and errors.</param>
    /// <param name="cancellation">Stops the command.</param>
    /// <returns>The exit code, see <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args, TextReader input, TextWriter output, TextWriter error, CancellationToken cancellation = default) =>
        Run(args, new Terminal(input, output, error), cancellation);

    /// <summary>Runs a command line on a terminal.</summary>
    /// <param name="args">The command line without the program's name.</param>
    /// <param name="terminal">Where to read and write.</param>
    /// <param name="cancellation">Stops the command.</param>
    /// <returns>The exit code, see <see cref="ExitCode"/>.</returns>
    public static int Run(string[] args, Terminal terminal, CancellationToken cancellation)
    {
        return s_program.Run(ShortForms.Long(args), terminal, cancellation);
    }
}
