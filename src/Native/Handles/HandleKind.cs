namespace Gradpath.Native.Handles;

/// <summary>What a handle stands for.</summary>
internal enum HandleKind
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>A device.</summary>
    Device,

    /// <summary>A model on a device.</summary>
    Model,

    /// <summary>A vocabulary.</summary>
    Tokenizer,

    /// <summary>Prompt pairs.</summary>
    Prompts,

    /// <summary>Scores of edges.</summary>
    Scores,

    /// <summary>A circuit.</summary>
    Circuit,

    /// <summary>What an evaluation, a curve or a search found.</summary>
    Result,

    /// <summary>What stops a call.</summary>
    Stop,
}
