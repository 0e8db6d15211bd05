namespace Gradpath.Native.Objects;

/// <summary>Something that several objects use and the last of them disposes of.</summary>
/// <typeparam name="T">What it is.</typeparam>
/// <param name="value">The object, which the first user brings.</param>
internal sealed class Shared<T>(T value)
    where T : IDisposable
{
    private int _users = 1;

    /// <summary>The object.</summary>
    public T Value { get; } = value;

    /// <summary>One user more.</summary>
    /// <returns>This.</returns>
    public Shared<T> Join()
    {
        Interlocked.Increment(ref _users);
        return this;
    }

    /// <summary>One user less.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0) Value.Dispose();
    }
}
