using System.Reflection;
using CommandLine;
using Gradpath.Programs.Reporting;

namespace Gradpath.Programs;

/// <summary>A command of a program: the type of its options, which carries its name and its help, and what runs it.</summary>
/// <param name="Options">The type of its options.</param>
/// <param name="Run">Runs it on its options and reports what it found.</param>
internal sealed record Verb(Type Options, Func<CommandOptions, Terminal, CancellationToken, CommandReport> Run)
{
    /// <summary>Its name on the command line.</summary>
    public string Name { get; } = Options.GetCustomAttribute<VerbAttribute>()!.Name;

    /// <summary>A command. Files may be large and machines busy, so that all but those that only speak can be stopped.</summary>
    public static Verb Of<T>(Func<T, Terminal, CancellationToken, CommandReport> run)
        where T : CommandOptions => new(typeof(T), (options, terminal, cancellation) => run((T)options, terminal, cancellation));

    /// <summary>A command that says nothing on its way.</summary>
    public static Verb Of<T>(Func<T, CancellationToken, CommandReport> run)
        where T : CommandOptions => new(typeof(T), (options, _, cancellation) => run((T)options, cancellation));
}
