namespace Gradpath.Kernels;

/// <summary>Per item, the tokens that are judged: right answers with weight +1, wrong ones with -1 (or as a metric weights them).</summary>
/// <param name="Start">[items + 1]: where an item's tokens start.</param>
/// <param name="Token">[count]: token ids of all items; no id twice within an item.</param>
/// <param name="Weight">[count]: weight of each token.</param>
/// <param name="Count">Tokens of all items.</param>
internal readonly record struct AnswerTokens(DeviceArray<int> Start, DeviceArray<int> Token, DeviceArray<float> Weight, int Count);
