namespace Gradpath.Programs.Files;

/// <summary>What an option for an input may name.</summary>
internal enum InputKind
{
    /// <summary>A file, or a name that is none.</summary>
    File,

    /// <summary>A model: a folder with a checkpoint or a vocabulary, or a name.</summary>
    Model,

    /// <summary>Prompts: a file, or a folder of tasks.</summary>
    Prompts,
}
