namespace Gradpath.Gpt2Runtime.Graph;

/// <summary>Files of edge scores, in the format that their extension names: <c>.json</c> or <c>.safetensors</c>.</summary>
internal static class ScoreFile
{
    private enum Format
    {
        Json,
        Safetensors,
    }

    /// <summary>Reads scores.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The scores.</returns>
    /// <exception cref="GradpathException">The extension is not known, or the file cannot be read or used; the message says
    /// why.</exception>
    public static EdgeScores Read(string path)
    {
        Format format = FormatOf(path, Path.GetExtension(path));
        if (Directory.Exists(path)) throw new GradpathException($"{path}: is a directory; a file of edge scores is expected.");
        UnreadableFile.Require(path);
        if (format == Format.Safetensors) return EdgeScoresSafetensors.Read(path);
        return EdgeScoresJson.Read(FileBytes.Read(path).Span, path);
    }

    /// <summary>Writes scores; a file that exists is replaced, and only by a whole one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="scores">The scores.</param>
    /// <exception cref="GradpathException">The extension is not known, a score is not finite, or the file cannot be written.</exception>
    public static void Write(string path, EdgeScores scores)
    {
        if (FormatToWrite(path) == Format.Safetensors) EdgeScoresSafetensors.Write(path, scores);
        else AtomicFile.Write(path, stream => EdgeScoresJson.Write(stream, scores));
    }

    /// <summary>Whether a file of scores is one of tensors.</summary>
    /// <param name="path">The file, which has been read or is to be written.</param>
    /// <param name="writes">Whether it is to be written.</param>
    /// <exception cref="GradpathException">The extension is not known.</exception>
    public static bool IsSafetensors(string path, bool writes) =>
        (writes ? FormatToWrite(path) : FormatOf(path, Path.GetExtension(path))) == Format.Safetensors;

    /// <summary>Refuses a path that <see cref="Write"/> would refuse, so that a long run does not fail at its end.</summary>
    /// <param name="path">The file to be written later.</param>
    /// <exception cref="GradpathException">The extension is not known, or the file cannot be written.</exception>
    public static void RequireWritable(string path)
    {
        _ = FormatToWrite(path);
        AtomicFile.RequireWritable(path);
    }

    /// <summary>How the EAP-IG library makes JSON of its file of tensors: two lines of Python.</summary>
    /// <param name="path">The <c>.pt</c> file.</param>
    public static string OfTorch(string path) => "Two lines of Python and the EAP-IG library convert it: from eap.graph import Graph; "
        + $"Graph.from_pt({Quoted.Text(path)}).to_json({Quoted.Text(Path.ChangeExtension(path, ".json"))}).";

    private static Format FormatToWrite(string path) => FormatOf(path, AtomicFile.Extension(path, ofStreams: ".json"));

    private static Format FormatOf(string path, string extension) => extension.ToLowerInvariant() switch
    {
        ".json" => Format.Json,
        ".safetensors" => Format.Safetensors,
        ".pt" => throw new GradpathException(
            $"{path}: PyTorch's .pt files are not read or written; use .json or .safetensors. {OfTorch(path)}"),
        "" => throw new GradpathException($"{path}: no extension; use .json or .safetensors."),
        string other => throw new GradpathException($"{path}: unknown extension '{other}'; use .json or .safetensors."),
    };
}
