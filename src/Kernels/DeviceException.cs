namespace Gradpath.Kernels;

/// <summary>The device could not do what was asked: no memory, a failed launch. The message says what and what may help.</summary>
public sealed class DeviceException : Exception
{
    /// <summary>An error with its explanation.</summary>
    /// <param name="message">What failed and what may help.</param>
    /// <param name="inner">What was caught, if anything.</param>
    public DeviceException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>What may help, in words that follow "try"; null where nobody knows.</summary>
    internal string? Advice { get; init; }

    /// <summary>Whether memory ran out. A run with smaller batches takes less.</summary>
    public bool IsOutOfMemory { get; init; }
}
