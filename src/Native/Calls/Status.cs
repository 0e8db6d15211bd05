namespace Gradpath.Native.Calls;

/// <summary>What a call of the C library returns. The numbers are part of the interface: gradpath.h has the same.</summary>
internal enum Status
{
    /// <summary>It did what was asked.</summary>
    Ok = 0,

    /// <summary>An argument or an option cannot be used: null, a length that does not fit, a text that is not UTF-8.</summary>
    Argument = 1,

    /// <summary>A handle is none, of another kind, or closed.</summary>
    Handle = 2,

    /// <summary>Something from outside cannot be used: a file, a model, prompts, scores.</summary>
    Input = 3,

    /// <summary>The device cannot do it.</summary>
    Device = 4,

    /// <summary>Memory ran out.</summary>
    Memory = 5,

    /// <summary>The call was stopped.</summary>
    Stopped = 6,

    /// <summary>Another thread's call uses it.</summary>
    Busy = 7,

    /// <summary>The caller's buffer is too small; the length that is needed has been written.</summary>
    Buffer = 8,

    /// <summary>A callback failed.</summary>
    Callback = 9,

    /// <summary>A fault of the library.</summary>
    Internal = 10,

    /// <summary>The library cannot be used here: its engine is missing, or the process has forked. Only the loader gives it.</summary>
    Unusable = 11,
}
