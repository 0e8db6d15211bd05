namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>A search at work that trains masks.</summary>
internal interface ITrainingLog
{
    /// <summary>The steps so far.</summary>
    IReadOnlyList<EdgePruningStep> Log { get; }
}
