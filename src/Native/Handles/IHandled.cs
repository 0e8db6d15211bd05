using System.Text.Json.Nodes;

namespace Gradpath.Native.Handles;

/// <summary>Something that C holds a handle of.</summary>
internal interface IHandled : IDisposable
{
    /// <summary>What it is.</summary>
    HandleKind Kind { get; }

    /// <summary>What there is to know of it.</summary>
    /// <returns>A JSON object.</returns>
    JsonObject Describe();
}
