namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// The names that config.json may have for activation functions: those of the transformers library, which has several names for one
/// formula. The first name of a function is the one that is written.
/// </summary>
internal static class ActivationNames
{
    private static readonly (Gpt2Activation Activation, string[] Names)[] s_all =
    [
        (Gpt2Activation.GeluNew, ["gelu_new", "gelu_fast", "gelu_accurate", "gelu_pytorch_tanh", "gelu_python_tanh"]),
        (Gpt2Activation.Gelu, ["gelu", "gelu_python"]),
        (Gpt2Activation.QuickGelu, ["quick_gelu"]),
        (Gpt2Activation.Silu, ["silu", "swish"]),
        (Gpt2Activation.Relu, ["relu"]),
        (Gpt2Activation.Tanh, ["tanh"]),
    ];

    /// <summary>All names, for messages.</summary>
    public static string Supported { get; } = string.Join(", ", s_all.SelectMany(a => a.Names));

    /// <summary>The name that is written for a function.</summary>
    /// <param name="activation">The function.</param>
    public static string Of(Gpt2Activation activation) => Array.Find(s_all, a => a.Activation == activation).Names[0];

    /// <summary>The function of a name, or null where there is none.</summary>
    /// <param name="name">The name.</param>
    public static Gpt2Activation? Find(string name)
    {
        int at = Array.FindIndex(s_all, a => a.Names.Contains(name));
        return at < 0 ? null : s_all[at].Activation;
    }
}
