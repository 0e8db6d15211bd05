using System.Text;

namespace Gradpath.Native.Calls;

/// <summary>The message of a thread's last call that failed, where C can read it.</summary>
internal static unsafe class LastError
{
    // Pinned, so that its address holds; it goes with its thread.
    [ThreadStatic]
    private static byte[]? t_text;

    /// <summary>Keeps a message.</summary>
    /// <param name="message">The message.</param>
    public static void Set(string message)
    {
        // A zero byte in what was given would end the message for C.
        message = message.Replace('\0', '\u2400');
        int length = Encoding.UTF8.GetByteCount(message);
        if (t_text is null || t_text.Length <= length) t_text = GC.AllocateArray<byte>(Math.Max(256, length + 1), pinned: true);
        Encoding.UTF8.GetBytes(message, t_text);
        t_text[length] = 0;
    }

    /// <summary>The message.</summary>
    /// <returns>Zero-terminated UTF-8, good until the thread's next call that fails; empty where none has.</returns>
    public static byte* Text()
    {
        if (t_text is null) Set("");
        return (byte*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(t_text!, 0);
    }
}
