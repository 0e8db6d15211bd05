using Gradpath.Gpt2Runtime;
using Gradpath.Kernels;
using Gradpath.Native.Options;

namespace Gradpath.Native.Calls;

/// <summary>Runs the body of an exported function: whatever is thrown becomes a status and a message.</summary>
internal static class Call
{
    /// <summary>Runs a body.</summary>
    /// <param name="body">The body.</param>
    /// <returns>The status, as C has it.</returns>
    public static int Run(Action body)
    {
        try
        {
            body();
            return (int)Status.Ok;
        }
        catch (Exception e)
        {
            (Status status, string message) = Describe(e);
            LastError.Set(message);
            return (int)status;
        }
    }

    private static (Status Status, string Message) Describe(Exception e) => e switch
    {
        CallException own => (own.Status, own.Message),
        OperationCanceledException => (Status.Stopped, "the call was stopped"),
        OptionException option => (Status.Argument, option.Describe(OptionText.Of)),
        GradpathException input => (Status.Input, input.Describe(OptionText.Of)),
        DeviceException { IsOutOfMemory: true } memory => (Status.Memory, memory.Message),
        DeviceException { Advice: { } advice } device => (Status.Device, $"{device.Message}; try {advice}"),
        DeviceException device => (Status.Device, device.Message),
        OutOfMemoryException => (Status.Memory, "the process has no memory left for this"),
        ArgumentException argument => (Status.Argument, argument.Message),
        ObjectDisposedException closed => (Status.Handle, closed.Message),
        InvalidOperationException busy => (Status.Busy, busy.Message),
        _ => (Status.Internal, $"a fault of the library: {e.GetType().Name}: {e.Message}"),
    };
}
