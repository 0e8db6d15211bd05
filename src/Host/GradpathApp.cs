namespace Gradpath.Host;

/// <summary>The program without its process.</summary>
internal static class GradpathApp
{
    /// <summary>The program's name, for messages.</summary>
    public const string Name = "gradpath";

    private static readonly VerbProgram s_program = new(Name, "circuit discovery in GPT-2", VerbTable.All);

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
        // "completion bash" is short for "completion --shell bash", "reproduce ioi" for "reproduce --study ioi".
        if (args is ["completion", [not '-', ..] shell, .. var others]) args = ["completion", "--shell", shell, .. others];
        if (args is ["reproduce", [not '-', ..] study, .. var more]) args = ["reproduce", "--study", study, .. more];
        if (args is ["sweep", "status" or "retry" or "merge" or "submit", ..])
        {
            // "sweep status DIR" for "sweep-status --dir DIR".
            args = args is [_, _, [not '-', ..] folder, .. var rest]
                ? [$"sweep-{args[1]}", "--dir", folder, .. rest]
                : [$"sweep-{args[1]}", .. args[2..]];
        }
        else if (args is ["sweep", { } word, [not '-', ..], ..] && word.All(char.IsAsciiLetter) && !Path.Exists(word))
        {
            // A word that should have been one of those: the table of verbs says which.
            args = [$"sweep-{word}", .. args[2..]];
        }
        else if (args is ["sweep", [not '-', ..] plan, .. var options])
        {
            args = ["sweep", "--plan", plan, .. options];
        }
        return s_program.Run(args, terminal, cancellation);
    }
}
