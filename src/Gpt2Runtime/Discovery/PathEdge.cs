namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>An edge that was followed.</summary>
/// <param name="Row">The sender.</param>
/// <param name="Receiver">The receiver, and where its input was patched.</param>
/// <param name="Effect">The change of the metric by this path alone.</param>
public sealed record PathEdge(int Row, PathReceiver Receiver, double Effect);
