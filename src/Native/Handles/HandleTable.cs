using Gradpath.Native.Calls;

namespace Gradpath.Native.Handles;

/// <summary>
/// All handles. A handle is a number, never an address: one that is closed, of another kind or made up is found out, and nothing is read
/// through it. It holds the place in the table, which is used again, and how often that place has been used before.
/// </summary>
internal static class HandleTable
{
    private const int SlotBits = 24;
    private const long SlotMask = (1L << SlotBits) - 1;
    private const long GenerationMask = (1L << 31) - 1;

    private static readonly Lock s_lock = new();
    private static readonly Stack<int> s_free = new();
    private static Slot[] s_slots = new Slot[64];
    private static int s_used;

    /// <summary>Gives an object a handle.</summary>
    /// <param name="value">The object. The table owns it from now on.</param>
    public static nint Open(IHandled value)
    {
        lock (s_lock)
        {
            if (!s_free.TryPop(out int place))
            {
                place = s_used;
                if (place > SlotMask)
                    throw new CallException(Status.Memory, $"{place} handles are open; close those that are done with");
                if (place == s_slots.Length) Array.Resize(ref s_slots, s_slots.Length * 2);
                s_used++;
            }
            ref Slot slot = ref s_slots[place];
            slot.Value = value;
            slot.Users = 0;
            slot.Generation = (slot.Generation + 1) & GenerationMask;
            return (nint)((slot.Generation << SlotBits) | (uint)place) + 1;
        }
    }

    /// <summary>Takes the object of a handle for the time of a call, so that no other thread closes it meanwhile.</summary>
    /// <typeparam name="T">What it must be.</typeparam>
    /// <param name="handle">The handle.</param>
    /// <param name="kind">What that is called.</param>
    /// <param name="name">The argument, for messages.</param>
    /// <exception cref="CallException">The handle is null, none, closed, or of another kind.</exception>
    public static HandleUse<T> Use<T>(nint handle, HandleKind kind, string name)
        where T : class, IHandled
    {
        lock (s_lock)
        {
            ref Slot slot = ref Find(handle, name, kind);
            if (slot.Value is not T value)
            {
                throw new CallException(
                    Status.Handle, $"{name} is a handle of kind {Of(slot.Value!.Kind)}; one of kind {Of(kind)} is needed");
            }
            slot.Users++;
            return new HandleUse<T>(handle, value);
        }
    }

    /// <summary>Takes the object of a handle of any kind.</summary>
    /// <param name="handle">The handle.</param>
    /// <param name="name">The argument, for messages.</param>
    public static HandleUse<IHandled> Use(nint handle, string name)
    {
        lock (s_lock)
        {
            ref Slot slot = ref Find(handle, name, HandleKind.None);
            slot.Users++;
            return new HandleUse<IHandled>(handle, slot.Value!);
        }
    }

    /// <summary>Gives an object back after a call.</summary>
    /// <param name="handle">Its handle, which cannot have been closed meanwhile.</param>
    public static void Leave(nint handle)
    {
        lock (s_lock) s_slots[Place(handle)].Users--;
    }

    /// <summary>Closes a handle.</summary>
    /// <param name="handle">The handle; null is nothing to close.</param>
    /// <exception cref="CallException">It is none, closed already, or a call in another thread uses it.</exception>
    public static void Close(nint handle)
    {
        if (handle == 0) return;
        IHandled value;
        lock (s_lock)
        {
            ref Slot slot = ref Find(handle, "handle", HandleKind.None);
            if (slot.Users > 0)
            {
                throw new CallException(
                    Status.Busy, $"the {Of(slot.Value!.Kind)} is in use by a call that has not returned; close it afterwards");
            }
            value = slot.Value!;
            slot.Value = null;
            s_free.Push(Place(handle));
        }
        value.Dispose();
    }

    /// <summary>How many handles are open.</summary>
    public static int Count
    {
        get
        {
            lock (s_lock) return s_used - s_free.Count;
        }
    }

    private static ref Slot Find(nint handle, string name, HandleKind kind)
    {
        string needed = kind == HandleKind.None ? "a handle" : $"a handle of kind {Of(kind)}";
        if (handle == 0) throw new CallException(Status.Handle, $"{name} is NULL; {needed} is needed");
        int place = Place(handle);
        long generation = ((long)handle - 1) >> SlotBits;
        if (place >= s_used || generation <= 0 || generation > s_slots[place].Generation)
            throw new CallException(Status.Handle, $"{name} is not a handle of this library; {needed} is needed");
        ref Slot slot = ref s_slots[place];
        if (slot.Value is null || generation != slot.Generation)
            throw new CallException(Status.Handle, $"{name} is a handle that was closed");
        return ref slot;
    }

    private static int Place(nint handle) => (int)(((long)handle - 1) & SlotMask);

    private static string Of(HandleKind kind) => kind.ToString().ToLowerInvariant();

    private struct Slot
    {
        public IHandled? Value;
        public int Users;
        public long Generation;
    }
}
