using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// A GPT-2 checkpoint on disk, in Hugging Face layout: config.json and model.safetensors (F32, F16, BF16 or F64), or shards with
/// model.safetensors.index.json. Opening maps the files and checks that every tensor is there in the right shape; nothing is read yet.
/// </summary>
/// <remarks>
/// Tensor names may carry the <c>transformer.</c> prefix or not. Tensors that the model does not need, such as the causal masks of old
/// checkpoints, are ignored. A tied head takes the token embedding even where the file has an <c>lm_head.weight</c>.
/// The files stay mapped until the checkpoint and all weights loaded from it are disposed of; they must not be changed meanwhile.
/// </remarks>
public sealed class Gpt2Checkpoint : IDisposable
{
    private const string Prefix = "transformer.";

    private readonly WeightFiles _files;
    private readonly List<Located> _tensors;
    private readonly string _configPath;
    private string? _hash;
    private int _users = 1;
    private bool _disposed;

    private Gpt2Checkpoint(string directory, string configPath, Gpt2Config config, WeightFiles files)
    {
        Directory = directory;
        Config = config;
        _configPath = configPath;
        _files = files;
        _tensors = [.. Gpt2Layout.Of(config).Select(Locate)];
        TensorSpec bias = Gpt2Layout.HeadBiasOf(config);
        if (files.Find(bias.Name) is not null) _tensors.Add(Locate(bias));
        Dtype = string.Join('+', _tensors.Select(t => t.Entry.Dtype).Distinct().Order(StringComparer.Ordinal));
        ParameterCount = _tensors.Sum(t => t.Spec.Count);
    }

    /// <summary>The model's shape.</summary>
    public Gpt2Config Config { get; }

    /// <summary>The directory, as a full path.</summary>
    public string Directory { get; }

    /// <summary>
    /// The type of the weights in the files: <c>F32</c>, <c>F16</c>, <c>BF16</c>, <c>F64</c>, or several joined by a plus.
    /// </summary>
    public string Dtype { get; }

    /// <summary>Number of parameters; a tied embedding counts once.</summary>
    public long ParameterCount { get; }

    /// <summary>Whether the directory holds a tokenizer: tokenizer.json, or vocab.json and merges.txt.</summary>
    public bool HasVocabulary => BpeTokenizer.HasVocabulary(Directory);

    /// <summary>
    /// Identifies the model in result files; see <see cref="ComputeHash"/>. Computed on first use, which reads the files.
    /// </summary>
    public string Hash => ComputeHash(CancellationToken.None);

    /// <summary>Opens a checkpoint directory.</summary>
    /// <param name="directory">Holds config.json and model.safetensors.</param>
    /// <returns>The checkpoint.</returns>
    /// <exception cref="GradpathException">A file is missing, damaged or of another kind of model; the message says which and what would be
    /// right.</exception>
    public static Gpt2Checkpoint Open(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        string full = Path.GetFullPath(directory);
        if (!System.IO.Directory.Exists(full))
        {
            throw new GradpathException(File.Exists(full)
                ? $"{directory}: is a file; name the directory that holds config.json and model.safetensors"
                : $"{directory}: no such directory");
        }
        string configPath = Path.Combine(full, "config.json");
        if (!File.Exists(configPath))
        {
            throw new GradpathException($"{full}: holds no config.json; a Hugging Face GPT-2 directory holds config.json and "
                + "model.safetensors (or shards with model.safetensors.index.json)");
        }
        Gpt2Config config = Gpt2ConfigFile.Read(configPath);
        WeightFiles files = WeightFiles.Open(full);
        try
        {
            return new Gpt2Checkpoint(full, configPath, config, files);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Brings the weights to a device as float32. F32 tensors are used where they lie in the mapped file if the device can.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="name">What result files call the model; null for the name of its directory.</param>
    /// <returns>The weights. They keep the files mapped, also after the checkpoint has been disposed of, and their hash is that of the
    /// checkpoint.</returns>
    /// <exception cref="DeviceException">The device has no room for them.</exception>
    public Gpt2Weights LoadWeights(Device device, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        ObjectDisposedException.ThrowIf(_disposed, this);
        using RunLease lease = device.EnterRun();
        Dictionary<string, Tensor> loaded = new(StringComparer.Ordinal);
        try
        {
            foreach (Located tensor in _tensors)
                loaded.Add(tensor.Spec.Name, TensorLoader.Load(device, tensor.File, tensor.Entry, tensor.Spec.Shape));
        }
        catch
        {
            foreach (Tensor tensor in loaded.Values) tensor.Dispose();
            throw;
        }
        Interlocked.Increment(ref _users);
        return Gpt2Layout.Assemble(
            Config, loaded, new Lease(this),
            new ModelIdentity(name ?? Path.GetFileName(Directory), () => HashOfFiles(CancellationToken.None)));
    }

    /// <summary>
    /// Identifies the model in result files. Weights up to 256 MiB: <c>sha256:</c> and the SHA-256 over config.json and all weight files.
    /// Larger ones: <c>sha256-sampled:</c> and a fingerprint, the SHA-256 over config.json, the files' headers and lengths, and the first
    /// 64 KiB of every MiB of every tensor, which tells models apart but does not replace a checksum.
    /// </summary>
    /// <remarks>Each file contributes its name, a zero byte, its length as 8 bytes little-endian, and then its content.</remarks>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The kind and 64 lower-case hexadecimal digits. Kept, so that a second call is free.</returns>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public string ComputeHash(CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed && _hash is null, this);
        return HashOfFiles(cancellation);
    }

    /// <inheritdoc />
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        Leave();
    }

    // Weights ask for it too, which keep the files mapped longer than the checkpoint does.
    private string HashOfFiles(CancellationToken cancellation)
    {
        if (_hash is not null) return _hash;
        try
        {
            return _hash = CheckpointHash.Compute(_configPath, _files.Files, CheckpointHash.LargestInFull, cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new GradpathException($"{_configPath}: cannot be read: {e.Message}", e);
        }
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0) _files.Dispose();
    }

    private Located Locate(TensorSpec spec)
    {
        bool isHead = spec.Name.StartsWith("lm_head.", StringComparison.Ordinal);
        var found = (isHead ? null : _files.Find(Prefix + spec.Name)) ?? _files.Find(spec.Name) ?? throw Missing(spec, isHead);
        FloatConversion.RequireSupported(found.File.Path, found.Entry);
        if (!found.Entry.Shape.SequenceEqual(spec.Shape.Select(e => (long)e))) throw WrongShape(spec, found.File, found.Entry);
        return new Located(spec, found.File, found.Entry);
    }

    private GradpathException Missing(TensorSpec spec, bool isHead) => isHead
        ? new($"{_files.Description}: holds no tensor '{spec.Name}', which config.json asks for by tie_word_embeddings = false; expected "
            + $"shape [{string.Join(", ", spec.Shape)}] = {spec.Rule}")
        : new($"{_files.Description}: holds no tensor '{Prefix}{spec.Name}' (nor '{spec.Name}'), which a GPT-2 model with n_layer = "
            + $"{Config.Layers} needs; expected shape [{string.Join(", ", spec.Shape)}] = {spec.Rule}");

    private static GradpathException WrongShape(TensorSpec spec, SafetensorsFile file, SafetensorsEntry entry)
    {
        string hint = spec.Shape.Length == 2 && entry.Shape.Length == 2 && entry.Shape[0] == spec.Shape[1]
            && entry.Shape[1] == spec.Shape[0]
            ? " (it seems to be transposed: GPT-2 stores its matrices as [in, out])"
            : "";
        return new GradpathException($"{file.Path}: tensor '{entry.Name}' has shape {entry.ShapeText}; config.json implies "
            + $"[{string.Join(", ", spec.Shape)}] = {spec.Rule}{hint}");
    }

    private sealed record Located(TensorSpec Spec, SafetensorsFile File, SafetensorsEntry Entry);

    /// <summary>Keeps the files mapped for one set of weights.</summary>
    private sealed class Lease(Gpt2Checkpoint checkpoint) : IDisposable
    {
        private Gpt2Checkpoint? _checkpoint = checkpoint;

        public void Dispose() => Interlocked.Exchange(ref _checkpoint, null)?.Leave();
    }
}
