namespace Gradpath.Host.Sweeps.Store;

/// <summary>Where a unit of a sweep stands.</summary>
internal enum UnitStateKind
{
    /// <summary>Nobody has begun it, or whoever had has given it back.</summary>
    Waiting,

    /// <summary>A process computes it.</summary>
    Running,

    /// <summary>A process computed it and has given no sign of life for long. The next process that looks for work takes it over.</summary>
    Silent,

    /// <summary>Its result is there.</summary>
    Done,

    /// <summary>Its files are there and cannot be read. The next sweep into the folder sets them aside and computes it again.</summary>
    Damaged,

    /// <summary>It cannot be computed, and its failure is recorded.</summary>
    Failed,
}
