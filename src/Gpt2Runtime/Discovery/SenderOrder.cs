namespace Gradpath.Gpt2Runtime.Discovery;

/// <summary>In which order the senders of a reader are tested; the circuit depends on it.</summary>
public enum SenderOrder
{
    /// <summary>The last writer before the reader first, the input last: the direction in which nodes are processed.</summary>
    Normal,

    /// <summary>The input first.</summary>
    Reverse,

    /// <summary>The edge of smallest |score| first, so that what matters least goes first; of equal ones the last writer.</summary>
    Score,
}
