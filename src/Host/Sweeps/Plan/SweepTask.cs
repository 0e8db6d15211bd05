namespace Gradpath.Host.Sweeps.Plan;

/// <summary>Prompts of a plan: generated for a task, or read from a file.</summary>
/// <param name="Name">What tables call it: the task's name, or one that the plan gives.</param>
/// <param name="Task">The task; null for a file that says for itself what its prompts are.</param>
/// <param name="Data">The full path of the file or folder; null for generated prompts.</param>
/// <param name="Line">Its line in the plan, from 1; 0 where it was read from the canonical form.</param>
internal sealed record SweepTask(string Name, string? Task, string? Data, int Line);
