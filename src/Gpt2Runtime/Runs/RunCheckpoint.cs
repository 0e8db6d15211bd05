using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Gradpath.Gpt2Runtime.Runs;

/// <summary>
/// Where a search or a scoring keeps what it has done, so that it can be stopped and go on. It is handed to the work, which takes up the
/// state that is there, offers its state after every step, and leaves it when it is stopped. Work that goes on gives the same bits as work
/// that was never stopped.
/// </summary>
public abstract class RunCheckpoint
{
    /// <summary>The state to go on from; null where the search starts.</summary>
    public JsonObject? Saved { get; protected set; }

    /// <summary>What the state that was written last holds, in words such as <c>12 of 40 steps</c>; null where none was.</summary>
    public string? Done { get; private set; }

    /// <summary>Told after each state that was written; null where nobody is.</summary>
    internal Action<ISavedWork>? Kept { get; set; }

    /// <summary>Whether it is time to write a state. Asked after every step.</summary>
    protected abstract bool IsDue { get; }

    /// <summary>Numbers, bit for bit, as a value of a state.</summary>
    /// <typeparam name="T">float, double or another number.</typeparam>
    /// <param name="values">The numbers.</param>
    /// <returns>Base 64 of their bytes.</returns>
    internal static JsonNode Pack<T>(ReadOnlySpan<T> values)
        where T : unmanaged => JsonValue.Create(Convert.ToBase64String(MemoryMarshal.AsBytes(values)));

    /// <summary>Numbers that <see cref="Pack"/> has packed.</summary>
    /// <typeparam name="T">The type that they were packed as.</typeparam>
    /// <param name="state">The state.</param>
    /// <param name="key">Its key.</param>
    /// <param name="length">How many they must be; null for any number.</param>
    /// <param name="gaps">Whether some may be NaN, which stands for none; other numbers that are not finite are refused.</param>
    /// <returns>The numbers.</returns>
    /// <exception cref="GradpathException">There are none of this type, or not so many.</exception>
    internal T[] Unpack<T>(JsonObject state, string key, int? length = null, bool gaps = false)
        where T : unmanaged, INumberBase<T>
    {
        byte[] bytes;
        try
        {
            bytes = Convert.FromBase64String(Text(state, key));
        }
        catch (FormatException e)
        {
            throw Damaged(e);
        }
        T[] values = MemoryMarshal.Cast<byte, T>(bytes).ToArray();
        if (values.Length * Unsafe.SizeOf<T>() != bytes.Length || values.Length != (length ?? values.Length)) throw Damaged();
        return Array.TrueForAll(values, v => T.IsFinite(v) || (gaps && T.IsNaN(v))) ? values : throw Damaged();
    }

    /// <summary>A count or a measure of a state.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="state">The state.</param>
    /// <param name="key">Its key.</param>
    /// <returns>The number, finite and 0 or more.</returns>
    /// <exception cref="GradpathException">There is no such number.</exception>
    internal T Number<T>(JsonObject state, string key)
        where T : struct, INumberBase<T>
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(key);
        return state[key] is JsonValue value && value.TryGetValue(out T number) && T.IsFinite(number) && !T.IsNegative(number)
            ? number
            : throw Damaged();
    }

    /// <summary>A text of a state.</summary>
    /// <param name="state">The state.</param>
    /// <param name="key">Its key.</param>
    /// <returns>The text.</returns>
    /// <exception cref="GradpathException">There is none.</exception>
    internal string Text(JsonObject state, string key)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(key);
        return state[key] is JsonValue value && value.TryGetValue(out string? text) ? text : throw Damaged();
    }

    /// <summary>A list of a state.</summary>
    /// <param name="state">The state.</param>
    /// <param name="key">Its key.</param>
    /// <returns>The objects in it, at least one.</returns>
    /// <exception cref="GradpathException">There is none, it is empty, or it holds anything but objects.</exception>
    internal IReadOnlyList<JsonObject> Objects(JsonObject state, string key)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(key);
        return state[key] is JsonArray { Count: > 0 } list ? [.. list.Select(o => o as JsonObject ?? throw Damaged())] : throw Damaged();
    }

    /// <summary>What to throw where a state is not one that the search has left.</summary>
    /// <param name="inner">What was caught, if anything.</param>
    /// <returns>The exception.</returns>
    public virtual GradpathException Damaged(Exception? inner = null) =>
        new("the saved state is not one that this search has left; start over without it", inner);

    /// <summary>Writes a state; it takes the place of what was written before.</summary>
    /// <param name="state">The state.</param>
    protected abstract void Write(JsonObject state);

    /// <summary>Told that a state could not be written on the way; the work goes on.</summary>
    /// <param name="error">Says why.</param>
    protected virtual void Missed(GradpathException error)
    {
    }

    /// <summary>Offers the state after a step; it is written where it is time to. Where that fails the work goes on.</summary>
    /// <param name="work">The work.</param>
    /// <returns>Whether it was written.</returns>
    internal bool Offer(ISavedWork work) => IsDue && Complete(work);

    /// <summary>Offers the state once no step is left, as <see cref="Offer"/> does but whatever the time.</summary>
    /// <param name="work">The work.</param>
    /// <returns>Whether it was written.</returns>
    internal bool Complete(ISavedWork work)
    {
        try
        {
            Keep(work);
            return true;
        }
        catch (GradpathException e)
        {
            Missed(e);
            return false;
        }
    }

    /// <summary>Writes the state, if anything has been done.</summary>
    /// <param name="work">The work.</param>
    internal void Keep(ISavedWork work)
    {
        if (work.Done is not { } done) return;
        Write(work.Save());
        Done = done;
        Kept?.Invoke(work);
    }
}
