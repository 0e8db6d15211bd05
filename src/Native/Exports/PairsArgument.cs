using System.Runtime.InteropServices;

namespace Gradpath.Native.Exports;

/// <summary><c>gradpath_pairs</c> of gradpath.h: prompt pairs as token ids, one behind the other.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PairsArgument
{
    /// <summary>The size that the caller knows, in bytes.</summary>
    public nuint Size;

    /// <summary>How many pairs.</summary>
    public nuint Count;

    /// <summary>Tokens of each pair's prompts.</summary>
    public uint* Lengths;

    /// <summary>The clean prompts' ids.</summary>
    public int* Clean;

    /// <summary>The corrupted prompts' ids.</summary>
    public int* Corrupted;

    /// <summary>How many ids the clean prompts have together; the corrupted ones have as many.</summary>
    public nuint Ids;

    /// <summary>Right answers of each pair.</summary>
    public uint* AnswerCounts;

    /// <summary>The right answers' ids.</summary>
    public int* Answers;

    /// <summary>How many right answers there are together.</summary>
    public nuint AnswerIds;

    /// <summary>Wrong answers of each pair.</summary>
    public uint* WrongCounts;

    /// <summary>The wrong answers' ids.</summary>
    public int* Wrong;

    /// <summary>How many wrong answers there are together.</summary>
    public nuint WrongIds;
}
