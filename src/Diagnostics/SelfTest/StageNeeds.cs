namespace Gradpath.Diagnostics.SelfTest;

/// <summary>What a stage of the self-test needs.</summary>
internal enum StageNeeds
{
    /// <summary>Any device.</summary>
    Nothing,

    /// <summary>A device to compare with.</summary>
    Reference,

    /// <summary>A GPU under test, and a device to compare with.</summary>
    Gpu,

    /// <summary>
    /// A device to compare with, or a file of its scores. It is a lot of work: without being asked for, it is for a GPU that is none of an
    /// emulator.
    /// </summary>
    Scores,
}
