namespace Gradpath.Kernels;

/// <summary>Per item, the tokens that are judged: right answers with weight +1, wrong ones with -1 (or as a metric weights them).</summary>
/// <param name="Start">[items + 1]: where an item's tokens start.</param>
/// <param name="Token">Token ids of all items; no id twice within an item.</param>
/// <param name="Weight">Weight of each token.</param>
internal sealed record AnswerTokens(DeviceArray<int> Start, DeviceArray<int> Token, DeviceArray<float> Weight) : IDisposable
{
    /// <inheritdoc />
    public void Dispose()
    {
        Start.Dispose();
        Token.Dispose();
        Weight.Dispose();
    }
}
