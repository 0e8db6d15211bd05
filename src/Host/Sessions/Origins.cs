using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Sessions;

/// <summary>
/// Says where files were made with another model, for another task or from other prompts than what they are used with. Another model or
/// task is a warning. Other prompts are a note, since circuits are best judged on prompts that they were not found on.
/// </summary>
internal static class Origins
{
    private const int HashDigits = 12;

    /// <summary>Compares a file with the run that uses it.</summary>
    /// <param name="terminal">Told of differences.</param>
    /// <param name="file">The file.</param>
    /// <param name="now">The run.</param>
    public static void Compare(Terminal terminal, GivenFile file, Provenance now)
    {
        if (file.Made is not { } made) return;
        Models(terminal, file.Path, made, "this run", now);
        Tasks(terminal, file.Path, made, "this run", now);
        if (made.DataHash is null || now.DataHash is null || made.DataHash == now.DataHash || AreOtherTasks(made, now)) return;
        terminal.Warn($"{file.Path} was made from other prompts ({made.Data}) than this run's ({now.Data})", "note");
    }

    /// <summary>Compares files with each other.</summary>
    /// <param name="terminal">Told of differences from the first file.</param>
    /// <param name="files">The files.</param>
    public static void Compare(Terminal terminal, IReadOnlyList<GivenFile> files)
    {
        GivenFile[] known = [.. files.Where(f => f.Made is not null)];
        foreach (GivenFile other in known.Skip(1))
        {
            Models(terminal, other.Path, other.Made!, known[0].Path, known[0].Made!);
            Tasks(terminal, other.Path, other.Made!, known[0].Path, known[0].Made!);
        }
    }

    private static void Models(Terminal terminal, string file, Provenance made, string than, Provenance other)
    {
        if (made.ModelHash is null || other.ModelHash is null || made.ModelHash == other.ModelHash) return;
        terminal.Warn($"{file} was made with another model ({Model(made)}) than {than} ({Model(other)})");
    }

    private static void Tasks(Terminal terminal, string file, Provenance made, string than, Provenance other)
    {
        if (!AreOtherTasks(made, other)) return;
        terminal.Warn($"{file} was made for another task ({made.Task}) than {than} ({other.Task})");
    }

    // Prompts of no known task are called by their file, which says nothing about the task.
    private static bool AreOtherTasks(Provenance one, Provenance other) => one.Task != other.Task
        && one.Task is not null && TaskCatalog.TryFind(one.Task, out _) && other.Task is not null && TaskCatalog.TryFind(other.Task, out _);

    private static string Model(Provenance p)
    {
        string hash = p.ModelHash!.Split(':')[^1];
        return $"{p.Model}, {hash[..Math.Min(HashDigits, hash.Length)]}";
    }
}
