namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>What became of an edge.</summary>
public enum AcdcDecision
{
    /// <summary>Tested, and the objective rose by less than the threshold without it.</summary>
    Removed,

    /// <summary>Tested, and stayed.</summary>
    Kept,

    /// <summary>Left out untested, because nothing reads its reader's node.</summary>
    Dropped,
}
