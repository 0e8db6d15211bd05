using System.Text.Json.Nodes;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>Work whose state can be saved between two steps, so that it can be stopped and go on to the same end, bit for bit.</summary>
internal interface ISavedWork
{
    /// <summary>What has been done, in words for a sentence: <c>12 of 40 steps</c>. Null while there is nothing to save.</summary>
    string? Done { get; }

    /// <summary>Everything that the steps to come depend on.</summary>
    /// <returns>The state.</returns>
    JsonObject Save();
}
