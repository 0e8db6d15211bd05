using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gradpath.Gpt2Runtime;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Gradpath.Host.Sweeps.Plan;

/// <summary>
/// The text of a plan, YAML or JSON, as values that know their lines. Anchors, aliases and merge keys (<c>&lt;&lt;</c>) are followed: an
/// alias is the value itself, not a copy, so that a few lines cannot become many. What no plan needs is refused before it costs memory.
/// </summary>
internal sealed partial class PlanText
{
    private const int MostBytes = 4 << 20;
    private const int MostCharacters = 4096;
    private const int MostNodes = 200_000;
    private const int MostLevels = 16;
    private const string MergeKey = "<<";
    private const string CoreTags = "tag:yaml.org,2002:";

    private readonly string _path;
    private readonly string _text;
    private readonly Scanner _scanner;
    private readonly Parser _parser;
    private readonly Dictionary<AnchorName, PlanNode> _anchors = [];
    private int _nodes;

    private PlanText(string path, string text)
    {
        _path = path;
        _text = text;
        _scanner = new Scanner(new StringReader(text), skipComments: true);
        _parser = new Parser(_scanner);
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The one document in it.</returns>
    /// <exception cref="GradpathException">The file cannot be read, or is no YAML of one document.</exception>
    public static PlanNode Read(string path)
    {
        ReadOnlyMemory<byte> bytes = FileBytes.Read(path);
        if (bytes.Length > MostBytes)
            throw new GradpathException($"{path}:1: {Sizes.Bytes(bytes.Length)} are no plan; at most {Sizes.Bytes(MostBytes)} are read");
        PlanText reader = new(path, Encoding.UTF8.GetString(FileText.ToUtf8(path, bytes, ":").Span));
        try
        {
            return reader.Document();
        }
        catch (YamlException e)
        {
            throw reader.Malformed((int)Math.Max(1, e.Start.Line), Reason(e), e);
        }
    }

    // A tab is said where it stands and not where the value begins that it is in; JSON in its own words.
    private GradpathException Malformed(int line, string reason, Exception error)
    {
        if (JsonFault() is { } json) return new GradpathException($"{_path}:{json.Line}: not valid JSON: {json.Reason}", error);
        string[] lines = _text.ReplaceLineEndings("\n").Split('\n');
        int tab = Array.FindIndex(lines, Math.Min(line, lines.Length) - 1, l => l.TrimStart(' ').StartsWith('\t'));
        return tab >= 0 && reason.Contains("tab", StringComparison.Ordinal)
            ? new GradpathException($"{_path}:{tab + 1}: not valid YAML: a tab indents the line; only spaces do", error)
            : new GradpathException($"{_path}:{line}: not valid YAML: {reason}", error);
    }

    // Most YAML is no JSON; a text is meant as JSON where its file says so, or where it begins as an object of JSON does.
    private (long Line, string Reason)? JsonFault()
    {
        if (Path.GetExtension(_path).ToUpperInvariant() is not ".JSON" && !ObjectOfJson().IsMatch(_text)) return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(_text);
            return null;
        }
        catch (JsonException e)
        {
            return ((e.LineNumber ?? 0) + 1, Quoted.Reason(e));
        }
    }

    [GeneratedRegex("^\\s*\\{\\s*\"")]
    private static partial Regex ObjectOfJson();

    private static string Reason(YamlException e)
    {
        string line = e.Message.ReplaceLineEndings(" ").TrimEnd('.', ' ');
        return line.Length == 0 ? "it cannot be read" : char.ToLowerInvariant(line[0]) + line[1..Math.Min(line.Length, 200)];
    }

    private PlanNode Document()
    {
        Next<StreamStart>();
        if (Next<ParsingEvent>() is not DocumentStart) throw new GradpathException($"{_path}:1: the file holds no plan");
        PlanNode root = Node(Next<ParsingEvent>(), 1);
        Next<DocumentEnd>();
        if (Next<ParsingEvent>() is DocumentStart second)
            throw Fault(second.Start, "a second document begins; a file holds one plan");
        return root;
    }

    private PlanNode Node(ParsingEvent first, int level)
    {
        if (++_nodes > MostNodes) throw Fault(first.Start, $"the file has more than {Sizes.Count(MostNodes)} values");
        if (level > MostLevels) throw Fault(first.Start, $"lists and mappings lie in one another more than {MostLevels} deep");
        if (first is AnchorAlias alias)
        {
            return _anchors.TryGetValue(alias.Value, out PlanNode? meant)
                ? meant
                : throw Fault(first.Start, $"*{Shown(alias.Value.Value)}: no value above has this anchor");
        }
        bool isTagged = first is NodeEvent { Tag: { IsEmpty: false, IsNonSpecific: false } tag }
            && !tag.Value.StartsWith(CoreTags, StringComparison.Ordinal);
        if (isTagged) throw Fault(first.Start, "a plan has no tags");
        PlanNode node = first switch
        {
            Scalar scalar => Scalar(scalar),
            SequenceStart => new PlanNode(Line(first.Start)) { Items = Items(level) },
            MappingStart => new PlanNode(Line(first.Start)) { Entries = Entries(level) },
            _ => throw Fault(first.Start, "there is no value here"),
        };
        // Known from here on, so that no value holds itself.
        if (first is NodeEvent { Anchor.IsEmpty: false } named) _anchors[named.Anchor] = node;
        return node;
    }

    private PlanNode Scalar(Scalar scalar)
    {
        string text = scalar.Value;
        if (text.Length > MostCharacters)
            throw Fault(scalar.Start, $"a text of {Sizes.Count(text.Length)} characters; at most {Sizes.Count(MostCharacters)} are read");
        if (text.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029'))
            throw Fault(scalar.Start, $"{Quoted.Text(text)}: texts are of one line, without control characters");
        return new PlanNode(Line(scalar.Start)) { Text = text, IsQuoted = scalar.Style != ScalarStyle.Plain };
    }

    private List<PlanNode> Items(int level)
    {
        List<PlanNode> items = [];
        for (ParsingEvent next = Next<ParsingEvent>(); next is not SequenceEnd; next = Next<ParsingEvent>())
            items.Add(Node(next, level + 1));
        return items;
    }

    private List<PlanEntry> Entries(int level)
    {
        List<PlanEntry> entries = [], merged = [];
        HashSet<string> keys = new(StringComparer.Ordinal);
        for (ParsingEvent next = Next<ParsingEvent>(); next is not MappingEnd; next = Next<ParsingEvent>())
        {
            PlanNode key = Node(next, level + 1);
            int line = Line(next.Start);
            if (key.Text is not { } name) throw Fault(next.Start, "a key is a text");
            PlanNode value = Node(Next<ParsingEvent>(), level + 1);
            if (!keys.Add(name)) throw new GradpathException($"{_path}:{line}: {Shown(name)}: the key is there twice");
            if (name == MergeKey && !key.IsQuoted) merged.AddRange(Merged(value, line));
            else entries.Add(new PlanEntry(name, line, value));
        }
        // What the mapping says itself goes first, then what is merged first.
        foreach (PlanEntry entry in merged)
        {
            if (keys.Add(entry.Key)) entries.Add(entry);
        }
        return entries;
    }

    private IEnumerable<PlanEntry> Merged(PlanNode value, int line)
    {
        IReadOnlyList<PlanNode> sources = value.Items ?? [value];
        if (sources.Any(s => s.Entries is null))
            throw new GradpathException($"{_path}:{line}: {MergeKey}: name a mapping, or a list of them");
        IEnumerable<PlanEntry> all = sources.SelectMany(s => s.Entries!);
        int count = sources.Sum(s => s.Entries!.Count);
        if ((_nodes += count) > MostNodes) throw new GradpathException($"{_path}:{line}: {MergeKey}: too many entries are merged");
        return all;
    }

    private T Next<T>()
        where T : ParsingEvent
    {
        try
        {
            if (!_parser.MoveNext()) throw new GradpathException($"{_path}:{Line(_scanner.CurrentPosition)}: the file ends too early");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            // So the parser ends where a key follows a list or a mapping that was not closed.
            throw Malformed(Line(_scanner.CurrentPosition), "a list, a mapping or a text above is not closed", e);
        }
        return _parser.Current as T ?? throw Fault(_parser.Current!.Start, "not valid YAML");
    }

    private static string Shown(string text) => Quoted.Name(text)[1..^1];

    private static int Line(Mark mark) => (int)Math.Max(1, mark.Line);

    private GradpathException Fault(Mark at, string what) => new($"{_path}:{Line(at)}: {what}");
}
