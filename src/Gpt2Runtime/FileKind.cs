namespace Gradpath.Gpt2Runtime;

/// <summary>What a path can name.</summary>
internal enum FileKind
{
    /// <summary>Nothing is there.</summary>
    Nothing,

    /// <summary>An ordinary file.</summary>
    Regular,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>What is written to as it comes: a named pipe, or a device of characters such as a terminal or <c>/dev/null</c>.</summary>
    Stream,

    /// <summary>A disk, or another device of blocks.</summary>
    Disk,

    /// <summary>A socket.</summary>
    Socket,

    /// <summary>A link to a file that is not there.</summary>
    DanglingLink,

    /// <summary>An open descriptor of this process, such as its standard output.</summary>
    Descriptor,

    /// <summary>Anything else.</summary>
    Unknown,
}
