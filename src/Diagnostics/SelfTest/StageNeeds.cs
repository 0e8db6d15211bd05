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
}
