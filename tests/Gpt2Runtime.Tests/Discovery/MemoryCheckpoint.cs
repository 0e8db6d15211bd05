using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Runs;

namespace Gradpath.Gpt2Runtime.Tests.Discovery;

/// <summary>Keeps the state of a search after every step, as text, as a file would.</summary>
internal sealed class MemoryCheckpoint : RunCheckpoint
{
    /// <summary>Starts.</summary>
    public MemoryCheckpoint()
    {
    }

    /// <summary>Goes on.</summary>
    /// <param name="state">A state that another one has kept.</param>
    public MemoryCheckpoint(string state) => Saved = (JsonObject)JsonNode.Parse(state)!;

    /// <summary>Every state that was written, in order.</summary>
    public List<string> States { get; } = [];

    /// <inheritdoc />
    protected override bool IsDue => true;

    /// <inheritdoc />
    protected override void Write(JsonObject state) => States.Add(state.ToJsonString());
}
