using System.Reflection;
using CommandLine;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Runs;
using Gradpath.Gpt2Runtime.Tasks;

namespace Gradpath.Programs.Files;

/// <summary>
/// The files that a command line names, by the attributes of its options, checked before the command runs: outputs that cannot be written,
/// and outputs that would take the place of an input or of each other, whatever way their paths are written.
/// </summary>
internal static class FileChecks
{
    // Prompts lie in a folder or in one of a task below it.
    private static readonly EnumerationOptions s_near = new() { RecurseSubdirectories = true, MaxRecursionDepth = 1 };

    /// <summary>Checks the files of a command line.</summary>
    /// <param name="options">The options.</param>
    /// <returns>The output that goes to standard output; null where none does.</returns>
    /// <exception cref="UsageException">An output cannot be written, or meets another file.</exception>
    public static NamedPath? Check(CommandOptions options)
    {
        List<NamedPath> outputs = [], inputs = [];
        foreach ((PropertyInfo property, OptionAttribute option) in OptionWords.All(options.GetType()))
        {
            string name = option.LongName;
            string[] values = [.. Values(property.GetValue(options))];
            if (property.GetCustomAttribute<OutputAttribute>() is { } output)
            {
                foreach (string path in values)
                {
                    if (output.IsFolder)
                    {
                        if (OutputTarget.Of(path).IsStream) throw new UsageException($"--{name} {path}: name a folder.");
                        continue;
                    }
                    RequireWritable(name, path, output);
                    outputs.Add(new NamedPath(name, path));
                    if (output.KeepsProgress) outputs.AddRange(Beside(name, path));
                }
            }
            else if (property.GetCustomAttribute<InputAttribute>() is { } input)
                inputs.AddRange(values.SelectMany(v => InputsOf(name, v, input.Kind)));
        }
        foreach (NamedPath further in options.FurtherOutputs())
        {
            if (!further.IsFolder && Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(further.Path))))
                RequireWritable(further.Option, further.Path, new OutputAttribute());
            outputs.Add(further);
        }
        RequireApart(outputs, inputs);
        return outputs.Find(o => o.IsStandardOutput);
    }

    /// <summary>What a run keeps beside its result on the way.</summary>
    /// <param name="option">The option that names the result.</param>
    /// <param name="result">The result.</param>
    /// <exception cref="UsageException">The result is a stream, beside which there is nothing.</exception>
    public static IEnumerable<NamedPath> Beside(string option, string result) => !OutputTarget.Of(result).IsStream
        ? [new NamedPath(option, ProgressFile.Beside(result)), new NamedPath(option, ProgressFile.LockBeside(result))]
        : throw new UsageException($"--{option} {result}: what has been done is kept beside this on the way; name a file.");

    private static void RequireWritable(string name, string path, OutputAttribute output)
    {
        if (path.Length == 0) throw new UsageException($"--{name}: name a file.");
        try
        {
            if (output.IsGraph) ScoreFile.RequireWritable(path);
            else
            {
                string extension = AtomicFile.Extension(path, output.Extensions.Count > 0 ? output.Extensions[0] : "");
                if (output.Extensions.Count > 0 && !output.Extensions.Contains(extension))
                    throw new UsageException($"--{name} {path}: the file must end in {EnumNames.Choice(output.Extensions)}.");
                AtomicFile.RequireWritable(path);
            }
        }
        catch (GradpathException e)
        {
            throw new UsageException($"--{name}: {e.Message}");
        }
    }

    private static void RequireApart(List<NamedPath> outputs, List<NamedPath> inputs)
    {
        for (int i = 0; i < outputs.Count; i++)
        {
            if (inputs.FirstOrDefault(outputs[i].Meets) is { } read)
                throw new UsageException($"{outputs[i]} would replace what {read} reads; name another file.");
            if (outputs.Take(i).FirstOrDefault(outputs[i].Meets) is { } other)
                throw new UsageException($"{other} and {outputs[i]} are one file; name two.");
        }
    }

    private static IEnumerable<string> Values(object? value) => value switch
    {
        string text => [text],
        IEnumerable<string> list => list,
        _ => [],
    };

    // The files that an input may be read from. What is not there is found out when it is read.
    private static IEnumerable<NamedPath> InputsOf(string name, string value, InputKind kind)
    {
        if (value.Length == 0) return [];
        if (File.Exists(value)) return [new NamedPath(name, value)];
        string folder = value;
        if (kind == InputKind.Model && !Directory.Exists(folder))
        {
            try
            {
                folder = ModelLocator.Resolve(value);
            }
            catch (GradpathException)
            {
                return [];
            }
        }
        if (kind == InputKind.File || !Directory.Exists(folder)) return [];
        Func<string, bool> isPart = kind == InputKind.Model ? Gpt2Checkpoint.IsPart : PromptLoader.IsPrompts;
        return Directory.EnumerateFiles(folder, "*", s_near).Where(f => isPart(Path.GetFileName(f))).Select(f => new NamedPath(name, f));
    }
}
