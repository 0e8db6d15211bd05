namespace Gradpath.Diagnostics.SelfTest;

/// <summary>A stage of the self-test.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Needs">What it needs beyond the device under test.</param>
/// <param name="Checks">The names of its checks.</param>
/// <param name="Run">Does its checks.</param>
internal sealed record SelfTestStage(
    string Name, StageNeeds Needs, IReadOnlyList<string> Checks, Func<SelfTestRun, IReadOnlyList<ComparisonLine>> Run);
