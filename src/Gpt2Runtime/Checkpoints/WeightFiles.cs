using System.Text.Json;

namespace Gradpath.Gpt2Runtime.Checkpoints;

/// <summary>
/// The weight files of a checkpoint directory, taken as one: model.safetensors, or the shards that model.safetensors.index.json lists.
/// </summary>
internal sealed class WeightFiles : IDisposable
{
    private const string Single = "model.safetensors";
    private const string Index = "model.safetensors.index.json";

    private readonly Dictionary<string, Place> _tensors = new(StringComparer.Ordinal);
    private readonly List<SafetensorsFile> _files = [];

    private WeightFiles(string description) => Description = description;

    /// <summary>The file that lists the tensors, for messages.</summary>
    public string Description { get; }

    /// <summary>The open files, in the order of their names.</summary>
    public IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>Opens the weight files of a directory. A single file wins over shards, as in the transformers library.</summary>
    /// <param name="directory">The directory.</param>
    /// <returns>The files.</returns>
    /// <exception cref="GradpathException">There are none, one is missing, or one is damaged.</exception>
    public static WeightFiles Open(string directory)
    {
        string single = Path.Combine(directory, Single);
        string index = Path.Combine(directory, Index);
        bool isSingle = File.Exists(single);
        if (!isSingle && !File.Exists(index)) throw NoWeights(directory);
        WeightFiles files = new(isSingle ? single : index);
        try
        {
            if (isSingle) files.AddSingle(single);
            else files.AddShards(directory, index);
            return files;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>All tensors.</summary>
    public IReadOnlyCollection<Place> Places => _tensors.Values;

    /// <summary>Their names.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Where a tensor lies.</summary>
    public readonly record struct Place(SafetensorsFile File, SafetensorsEntry Entry);

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (SafetensorsFile file in _files) file.Dispose();
    }

    private static GradpathException NoWeights(string directory)
    {
        string needed = $"a Hugging Face GPT-2 directory holds config.json and {Single} (or shards with {Index})";
        if (Directory.EnumerateFiles(directory, "pytorch_model*.bin").Any())
        {
            return new GradpathException(
                $"{directory}: holds pytorch_model.bin but no {Single}; {needed}. Convert it once with: "
                + "python -c \"from transformers import GPT2LMHeadModel as M; "
                + $"M.from_pretrained('{directory}').save_pretrained('{directory}', safe_serialization=True)\"");
        }
        return new GradpathException($"{directory}: holds no {Single}; {needed}");
    }

    private void AddSingle(string path)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        _files.Add(file);
        foreach (SafetensorsEntry entry in file.Entries.Values) _tensors.Add(entry.Name, new Place(file, entry));
    }

    private void AddShards(string directory, string index)
    {
        SortedDictionary<string, List<string>> shards = ReadIndex(index);
        foreach ((string shard, List<string> names) in shards)
        {
            string path = Path.Combine(directory, shard);
            if (!File.Exists(path))
                throw new GradpathException($"{index}: lists the shard {Quoted.Name(shard)[1..^1]}, which is not in the directory; "
                    + $"fetch it too");
            SafetensorsFile file = SafetensorsFile.Open(path);
            _files.Add(file);
            foreach (string name in names)
            {
                if (!file.Entries.TryGetValue(name, out SafetensorsEntry? entry))
                    throw new GradpathException($"{index}: places tensor {Quoted.Name(name)} in {Quoted.Name(shard)[1..^1]}, which does "
                        + $"not hold it");
                if (!_tensors.TryAdd(name, new Place(file, entry))) throw new GradpathException($"{index}: tensor "
                    + $"{Quoted.Name(name)} appears twice");
            }
        }
    }

    private static SortedDictionary<string, List<string>> ReadIndex(string path) => JsonFile.Read(path, root =>
    {
        if (root.ValueKind != JsonValueKind.Object || root.Property("weight_map") is not { ValueKind: JsonValueKind.Object } map)
            throw new GradpathException($"{path}: has no weight_map; an object from tensor names to file names is expected");
        SortedDictionary<string, List<string>> shards = new(StringComparer.Ordinal);
        foreach (JsonProperty property in map.EnumerateObject())
        {
            string? shard = property.Value.ValueKind == JsonValueKind.String ? property.Value.GetString() : null;
            if (string.IsNullOrEmpty(shard) || shard is "." or ".." || shard.AsSpan().ContainsAny('/', '\\', '\0')
                || Path.IsPathRooted(shard))
            {
                throw new GradpathException($"{path}: places tensor {Quoted.Name(property.Name)} in {JsonFile.Shown(property.Value)}; "
                    + $"the name of a "
                    + "file in the same directory is expected");
            }
            if (!shards.TryGetValue(shard, out List<string>? names)) shards.Add(shard, names = []);
            names.Add(property.Name);
        }
        return shards;
    });
}
