using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Compilation;

/// <summary>
/// The folder of a model whose circuit is known: a checkpoint with, beside it, its prompts and its circuit. The circuit states the hash of
/// the checkpoint, so that one that another model has left behind is no circuit of this one.
/// </summary>
internal static class CompiledModelFolder
{
    /// <summary>The prompt pairs.</summary>
    public const string Prompts = "prompts.jsonl";

    /// <summary>The true edges.</summary>
    public const string Circuit = "known-circuit.json";

    /// <summary>The edges that count neither as true nor as false; a file only where there are some.</summary>
    public const string Undecided = "undecided-edges.json";

    /// <summary>What the provenance of such circuits has in the place of a method.</summary>
    public const string Method = "compiled";

    private const string Weights = "model.safetensors";

    /// <summary>The files of a folder, in the order in which they are written.</summary>
    public static IReadOnlyList<string> Files { get; } =
        [Prompts, TokenizerFiles.Tokenizer, TokenizerFiles.TokenizerConfig, Weights, TokenizerFiles.ModelConfig, Circuit, Undecided];

    /// <summary>Writes a compiled program. Each file appears whole or not at all; those that exist are replaced.</summary>
    /// <param name="directory">The folder, which is made where it is missing.</param>
    /// <param name="program">The program.</param>
    /// <param name="options">The seed and what else compiling depends on.</param>
    /// <param name="pairs">Its prompt pairs.</param>
    /// <returns>The model.</returns>
    /// <exception cref="GradpathException">A file cannot be written.</exception>
    public static CompiledModel Write(
        string directory, CompiledProgram program, DistractorOptions options, IReadOnlyList<PromptPair> pairs)
    {
        CompiledModel model = program.Compile(options);
        Make(directory);

        // As in other vocabularies, a word's token has the space before it.
        string[] names = [.. Enumerable.Range(0, model.Config.Vocabulary)
            .Select(t => t == CompiledProgram.Begin ? program.NameOf(t) : $" {program.NameOf(t)}")];
        AtomicFile.Write(Path.Combine(directory, TokenizerFiles.Tokenizer), Tokenizer(names));
        AtomicFile.Write(
            Path.Combine(directory, TokenizerFiles.TokenizerConfig),
            new JsonObject { ["bos_token"] = names[CompiledProgram.Begin] }.ToJsonString());
        PromptWriter.Write(
            Path.Combine(directory, Prompts), [.. pairs.Select(p => WithTexts(p, names))], BpeTokenizer.Load(directory));
        Write(directory, model, new Provenance
        {
            Version = Provenance.ProgramVersion,
            Task = program.Name,
            Method = Method,
            Data = $"the program {program.Name}: {program.Summary}",
            Seed = (long)options.Seed,
            Options = new JsonObject { ["leak"] = options.Leak },
        });
        return model;
    }

    /// <summary>Writes a checkpoint and its circuit.</summary>
    /// <param name="directory">The folder, which is made where it is missing.</param>
    /// <param name="model">The model; a circuit without edges is not written.</param>
    /// <param name="made">How it was made; the hash of the checkpoint is added.</param>
    /// <exception cref="GradpathException">A file cannot be written.</exception>
    public static void Write(string directory, CompiledModel model, Provenance made)
    {
        Make(directory);
        SafetensorsWriter writer = new();
        writer.AddMetadata("format", "pt");
        foreach (TensorSpec spec in Gpt2Layout.Of(model.Config)) Add(spec);
        if (model.Tensors.ContainsKey(Gpt2Layout.HeadBias)) Add(Gpt2Layout.HeadBiasOf(model.Config));
        writer.Write(Path.Combine(directory, Weights));
        Gpt2ConfigFile.Write(Path.Combine(directory, TokenizerFiles.ModelConfig), model.Config);

        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(directory);
        made = made with { Model = Path.GetFileName(checkpoint.Directory), ModelHash = checkpoint.Hash };
        foreach ((Circuit circuit, string file) in new[] { (model.Circuit, Circuit), (model.Undecided, Undecided) })
        {
            string path = Path.Combine(directory, file);
            if (circuit.EdgeCount > 0)
            {
                new Circuit(circuit.Graph, circuit.Membership) { ModelWidth = model.Config.Width, Provenance = made }.Save(path);
            }
            else
            {
                Remove(path);
            }
        }

        void Add(TensorSpec spec) => writer.Add(
            spec.Name.StartsWith("lm_head.", StringComparison.Ordinal) ? spec.Name : "transformer." + spec.Name,
            model.Tensors[spec.Name], spec.Shape);
    }

    /// <summary>The known circuit that lies beside a checkpoint.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="file">Which file: <see cref="Circuit"/> or <see cref="Undecided"/>.</param>
    /// <returns>The circuit; null where there is none, or it belongs to another checkpoint.</returns>
    /// <exception cref="GradpathException">The file cannot be read.</exception>
    public static Circuit? Read(Gpt2Checkpoint checkpoint, string file = Circuit)
    {
        string path = Path.Combine(checkpoint.Directory, file);
        if (!File.Exists(path)) return null;
        Circuit circuit = Graph.Circuit.Load(path);
        return circuit.Provenance?.ModelHash == checkpoint.Hash ? circuit : null;
    }

    private static void Make(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"cannot create the directory {directory}: {e.Message}", e);
        }
    }

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"cannot remove {path}: {e.Message}", e);
        }
    }

    // The begin token is put in front when they are read. As an answer, which texts name words for, it stands there by its id.
    private static PromptPair WithTexts(PromptPair pair, string[] names)
    {
        if (pair.Answers.Concat(pair.WrongAnswers).Contains(CompiledProgram.Begin)) return pair;
        return pair with { CleanText = Text(pair.Clean), CorruptedText = Text(pair.Corrupted) };

        string Text(int[] prompt) => string.Concat(prompt.Skip(1).Select(t => names[t]));
    }

    // All tokens are added tokens, so that no word is ever cut.
    private static string Tokenizer(string[] names)
    {
        JsonArray added = [];
        for (int id = 0; id < names.Length; id++)
        {
            added.Add((JsonNode)new JsonObject
            {
                ["id"] = id,
                ["content"] = names[id],
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = id == CompiledProgram.Begin,
            });
        }
        return new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = added,
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["use_regex"] = true },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["vocab"] = new JsonObject { [names[CompiledProgram.Begin]] = CompiledProgram.Begin },
                ["merges"] = new JsonArray(),
            },
        }.ToJsonString();
    }
}
