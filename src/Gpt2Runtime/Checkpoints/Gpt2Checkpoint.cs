using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// A GPT-2 checkpoint on disk, in Hugging Face layout: config.json and model.safetensors (F32, F16, BF16 or F64), or shards with
/// model.safetensors.index.json. Opening checks that every tensor is there in the right shape; no weight is read yet.
/// </summary>
/// <remarks>
/// Tensor names may carry the <c>transformer.</c> prefix or not, and what compiling and distributed training put around them. Tensors that
/// are no part of the model, such as the causal masks of old checkpoints, are ignored. An <c>lm_head.weight</c> that differs from the token
/// embedding is the model's head, whatever config.json says; <see cref="Warnings"/> tells.
/// The files stay open until the checkpoint and all weights loaded from it are disposed of. One that is written to meanwhile is refused
/// where that is noticed.
/// </remarks>
public sealed class Gpt2Checkpoint : IDisposable
{
    private readonly WeightFiles _files;
    private readonly Gpt2Tensors _tensors;
    private readonly string _configPath;
    private readonly ReadOnlyMemory<byte> _configBytes;
    private string? _hash;
    private int _users = 1;
    private bool _disposed;

    private Gpt2Checkpoint(string directory, string configPath, ReadOnlyMemory<byte> configBytes, Gpt2Tensors tensors, WeightFiles files)
    {
        Directory = directory;
        _configPath = configPath;
        _configBytes = configBytes;
        _files = files;
        _tensors = tensors;
        Dtype = string.Join('+', tensors.All.Select(t => t.Entry.Dtype).Distinct().Order(StringComparer.Ordinal));
        ParameterCount = tensors.All.Sum(t => t.Spec.Count);
    }

    /// <summary>The model's shape.</summary>
    public Gpt2Config Config => _tensors.Config;

    /// <summary>Contradictions between the files that a user should know of.</summary>
    public IReadOnlyList<string> Warnings => _tensors.Warnings;

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

    /// <summary>Whether a file of this name in a directory is part of a checkpoint or its vocabulary.</summary>
    internal static bool IsPart(string name) => TokenizerFiles.All.Contains(name)
        || (name.StartsWith("model", StringComparison.Ordinal) && name.Contains(".safetensors", StringComparison.Ordinal));

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
        ReadOnlyMemory<byte> configBytes = FileBytes.Read(configPath);
        Gpt2Config config = Gpt2ConfigFile.Parse(configPath, configBytes);
        WeightFiles files = WeightFiles.Open(full);
        try
        {
            return new Gpt2Checkpoint(full, configPath, configBytes, new Gpt2Tensors(config, files), files);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Brings the weights to a device as float32.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="name">What result files call the model; null for the name of its directory.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <returns>The weights. They keep the files open, also after the checkpoint has been disposed of, and their hash is that of the
    /// checkpoint.</returns>
    /// <exception cref="DeviceException">The device has no room for them.</exception>
    /// <exception cref="GradpathException">A weight is not a finite number; the message names tensor and place. Or a file cannot be read
    /// any more, or has been written to.</exception>
    public Gpt2Weights LoadWeights(Device device, string? name = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(device);
        ObjectDisposedException.ThrowIf(_disposed, this);
        using RunLease lease = device.EnterRun();
        device.PrepareForScoring();
        Dictionary<string, Tensor> loaded = new(StringComparer.Ordinal);
        try
        {
            foreach (Gpt2Tensors.Located tensor in _tensors.All)
            {
                cancellation.ThrowIfCancellationRequested();
                loaded.Add(tensor.Spec.Name, TensorLoader.Load(device, tensor.File, tensor.Entry, tensor.Spec.Shape));
            }
            foreach (SafetensorsFile file in _files.Files) file.RequireUnchanged();
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

    /// <summary>Reads the weights and says what their values come to, tensor by tensor in the order of the forward pass.</summary>
    /// <param name="cancellation">Stops the work.</param>
    /// <returns>The tensors; each is read when it is asked for. Values that are not finite are counted, not refused.</returns>
    /// <exception cref="GradpathException">A file cannot be read any more.</exception>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public IEnumerable<TensorSummary> Summarize(CancellationToken cancellation = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _tensors.All.Select(tensor => TensorSummary.Of(tensor.File, tensor.Entry, cancellation));
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

    // Weights ask for it too, which keep the files open longer than the checkpoint does.
    private string HashOfFiles(CancellationToken cancellation)
    {
        return _hash ??= CheckpointHash.Compute(
            _configPath, _configBytes.Span, _files.Files, CheckpointHash.LargestInFull, cancellation);
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0) _files.Dispose();
    }

    /// <summary>Keeps the files open for one set of weights.</summary>
    private sealed class Lease(Gpt2Checkpoint checkpoint) : IDisposable
    {
        private Gpt2Checkpoint? _checkpoint = checkpoint;

        public void Dispose() => Interlocked.Exchange(ref _checkpoint, null)?.Leave();
    }
}
