using System.Text.Json.Nodes;
using Gradpath.Native.Handles;

namespace Gradpath.Native.Objects;

/// <summary>Stops calls that were handed it, from any thread.</summary>
internal sealed class StopObject : IHandled
{
    private readonly CancellationTokenSource _source = new();

    /// <summary>What the calls ask.</summary>
    public CancellationToken Token => _source.Token;

    /// <inheritdoc />
    public HandleKind Kind => HandleKind.Stop;

    /// <summary>Stops the calls.</summary>
    public void Signal() => _source.Cancel();

    /// <inheritdoc />
    public JsonObject Describe() => new() { ["signaled"] = _source.IsCancellationRequested };

    /// <inheritdoc />
    public void Dispose() => _source.Dispose();
}
