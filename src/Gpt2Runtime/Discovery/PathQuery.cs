namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>One question: what does each sender do through its direct paths to a set of receivers?</summary>
/// <param name="Senders">Rows of the senders, each patched by itself.</param>
/// <param name="Receivers">The receivers, patched together; a column occurs once.</param>
public sealed record PathQuery(IReadOnlyList<int> Senders, IReadOnlyList<PathReceiver> Receivers);
