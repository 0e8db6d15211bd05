namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>What an answer text that is several tokens stands for.</summary>
public enum AnswerReading
{
    /// <summary>Nothing: it is refused.</summary>
    OneToken,

    /// <summary>Its first token, as in the EAP-IG library's own files.</summary>
    FirstToken,

    /// <summary>
    /// All its tokens, each behind the prompt and those before it (teacher forcing). Only a metric that reads log-probabilities can judge
    /// it.
    /// </summary>
    Sequence,
}
