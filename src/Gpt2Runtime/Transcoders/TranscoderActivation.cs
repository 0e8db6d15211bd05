namespace Gradpath.Gpt2Runtime.Transcoders;

/// <summary>Which of a transcoder's features are active.</summary>
internal enum TranscoderActivation
{
    /// <summary>Those above 0.</summary>
    Relu,

    /// <summary>Those above a threshold of their own; what they pass on is the value itself.</summary>
    JumpRelu,

    /// <summary>The k largest of a position.</summary>
    TopK,
}
