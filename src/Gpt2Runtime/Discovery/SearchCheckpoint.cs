using System.Runtime.InteropServices;
using System.Text.Json.Nodes;

namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>
/// Where a search keeps what it has done, so that it can be stopped and go on. It is handed to the search, which takes up the state that
/// is there, offers its state after every step, and leaves it when it is stopped. A search that goes on gives the same bits as one that
/// was never stopped.
/// </summary>
public abstract class SearchCheckpoint
{
    /// <summary>The state to go on from; null where the search starts.</summary>
    public JsonObject? Saved { get; protected set; }

    /// <summary>What the state that was written last holds, in words such as <c>12 of 40 steps</c>; null where none was.</summary>
    public string? Done { get; private set; }

    /// <summary>Whether it is time to write a state. Asked after every step.</summary>
    protected abstract bool IsDue { get; }

    /// <summary>Numbers, bit for bit, as a value of a state.</summary>
    /// <typeparam name="T">float, double or another number.</typeparam>
    /// <param name="values">The numbers.</param>
    /// <returns>Base 64 of their bytes.</returns>
    public static JsonNode Pack<T>(ReadOnlySpan<T> values)
        where T : unmanaged => JsonValue.Create(Convert.ToBase64String(MemoryMarshal.AsBytes(values)));

    /// <summary>Numbers that <see cref="Pack"/> has packed.</summary>
    /// <typeparam name="T">The type that they were packed as.</typeparam>
    /// <param name="state">The state.</param>
    /// <param name="key">Its key.</param>
    /// <returns>The numbers.</returns>
    /// <exception cref="GradpathException">There are none of this type.</exception>
    public T[] Unpack<T>(JsonObject state, string key)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(key);
        try
        {
            return MemoryMarshal.Cast<byte, T>(Convert.FromBase64String(state[key]!.GetValue<string>())).ToArray();
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or NullReferenceException)
        {
            throw Damaged(e);
        }
    }

    /// <summary>A number of a state.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="state">The state.</param>
    /// <param name="key">Its key.</param>
    /// <returns>The number.</returns>
    /// <exception cref="GradpathException">There is no such number.</exception>
    public T Number<T>(JsonObject state, string key)
        where T : struct
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(key);
        return state[key] is JsonValue value && value.TryGetValue(out T number) ? number : throw Damaged();
    }

    /// <summary>What to throw where a state is not one that the search has left.</summary>
    /// <param name="inner">What was caught, if anything.</param>
    /// <returns>The exception.</returns>
    public virtual GradpathException Damaged(Exception? inner = null) =>
        new("the saved state is not one that this search has left; start over without it", inner);

    /// <summary>Writes a state; it takes the place of what was written before.</summary>
    /// <param name="state">The state.</param>
    protected abstract void Write(JsonObject state);

    /// <summary>Offers the state after a step; it is written where it is time to.</summary>
    /// <param name="work">The search.</param>
    /// <returns>Whether it was written.</returns>
    internal bool Offer(SearchWork work)
    {
        if (!IsDue) return false;
        Keep(work);
        return true;
    }

    /// <summary>Writes the state, if anything has been done.</summary>
    /// <param name="work">The search.</param>
    internal void Keep(SearchWork work)
    {
        if (work.Done is not { } done) return;
        Write(work.Save());
        Done = done;
    }
}
