namespace Gradpath.Fuzz.Tests;

/// <summary>
/// Every kind of file that the program reads. <c>docs/file-formats.md</c> has a row for each, and a test compares the two.
/// </summary>
internal static class FuzzReaders
{
    /// <summary>The readers, in the order of the table.</summary>
    public static IReadOnlyList<FuzzReader> All { get; } =
    [
        .. ModelReaders.All,
        .. TokenizerReaders.All,
        .. GraphReaders.All,
        .. PromptReaders.All,
        .. ProgressReaders.All,
        .. ReportReaders.All,
        .. TranscoderReaders.All,
        .. SweepReaders.All,
    ];
}
