using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Host.Options;

/// <summary>The help of options about tasks, made from their table. Public because the parser of options wants it so.</summary>
public static class TaskHelp
{
    /// <summary><c>--task</c> where prompts are made.</summary>
    public static string Task => $"{EnumNames.Choice(TaskCatalog.All.Select(t => t.Name))}.";

    /// <summary><c>--hard-corruption</c>.</summary>
    public static string HardCorruption =>
        $"For CSV files of {EnumNames.Choice(HardlyCorrupted.Select(t => $"{t} (column {t.HardCorruptionColumn})"))}: "
        + "take the harder corrupted prompts.";

    /// <summary>The tasks that <c>--hard-corruption</c> is for.</summary>
    internal static IEnumerable<CircuitTask> HardlyCorrupted => TaskCatalog.All.Where(t => t.HardCorruptionColumn is not null);
}
