using System.Text.Json.Nodes;
using Gradpath.Native.Handles;

namespace Gradpath.Native.Objects;

/// <summary>What an evaluation, a curve or a search found.</summary>
/// <param name="json">All of it.</param>
internal sealed class ResultObject(JsonObject json) : IHandled
{
    /// <inheritdoc />
    public HandleKind Kind => HandleKind.Result;

    /// <inheritdoc />
    public JsonObject Describe() => json;

    /// <inheritdoc />
    public void Dispose()
    {
    }
}
