namespace Gradpath.Native.Handles;

/// <summary>An object that a call uses; disposing of this gives it back.</summary>
/// <typeparam name="T">What it is.</typeparam>
/// <param name="handle">Its handle.</param>
/// <param name="value">The object.</param>
internal readonly struct HandleUse<T>(nint handle, T value) : IDisposable
    where T : class, IHandled
{
    /// <summary>The object.</summary>
    public T Value { get; } = value;

    /// <inheritdoc />
    public void Dispose() => HandleTable.Leave(handle);
}
