using System.Text.Encodings.Web;
using System.Text.Json;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tasks;

/// <summary>Writes prompt pairs as JSONL, one object per line, in the format that prompts are loaded from.</summary>
public static class PromptWriter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a file; it appears under its name only when it is complete.</summary>
    /// <param name="path">The file, replaced where it exists.</param>
    /// <param name="pairs">The pairs. Those with texts are written as texts (without a begin token), the others as token ids.</param>
    /// <param name="tokenizer">The vocabulary that the pairs were made with; without it all pairs are written as token ids.</param>
    /// <exception cref="GradpathException">The file cannot be written.</exception>
    public static void Write(string path, IReadOnlyList<PromptPair> pairs, BpeTokenizer? tokenizer)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(pairs);
        Write(path, pairs, tokenizer, null);
    }

    /// <summary>Writes a file that says by which metric its pairs are judged.</summary>
    /// <param name="path">The file, as above.</param>
    /// <param name="pairs">The pairs, as above.</param>
    /// <param name="tokenizer">The vocabulary, as above.</param>
    /// <param name="metric">The metric; null for none.</param>
    internal static void Write(string path, IReadOnlyList<PromptPair> pairs, BpeTokenizer? tokenizer, Metric? metric) =>
        AtomicFile.Write(path, stream => Write(stream, pairs, tokenizer, metric));

    /// <summary>Writes to a stream.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="pairs">The pairs, as above.</param>
    /// <param name="tokenizer">The vocabulary, as above.</param>
    public static void Write(Stream stream, IReadOnlyList<PromptPair> pairs, BpeTokenizer? tokenizer)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(pairs);
        Write(stream, pairs, tokenizer, null);
    }

    private static void Write(Stream stream, IReadOnlyList<PromptPair> pairs, BpeTokenizer? tokenizer, Metric? metric)
    {
        foreach (var pair in pairs)
        {
            using (var json = new Utf8JsonWriter(stream, Options))
                WritePair(json, pair, tokenizer, metric);
            stream.WriteByte((byte)'\n');
        }
    }

    /// <summary>Writes texts to a stream.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="pairs">The pairs.</param>
    internal static void Write(Stream stream, IReadOnlyList<TextPair> pairs)
    {
        foreach (var pair in pairs)
        {
            using (var json = new Utf8JsonWriter(stream, Options))
            {
                json.WriteStartObject();
                WriteNames(json, pair.Id, pair.Label);
                WriteTexts(json, pair.Clean, pair.Corrupted, pair.Answers, pair.WrongAnswers);
                json.WriteEndObject();
            }
            stream.WriteByte((byte)'\n');
        }
    }

    private static void WriteNames(Utf8JsonWriter json, string? id, string? label)
    {
        if (id is not null)
            json.WriteString("id", id);
        if (label is not null)
            json.WriteString("label", label);
    }

    private static void WriteTexts(
        Utf8JsonWriter json, string clean, string corrupted, IReadOnlyList<string> answers, IReadOnlyList<string> wrongAnswers)
    {
        json.WriteString("clean", clean);
        json.WriteString("corrupted", corrupted);
        WriteArray(json, "answers", answers, json.WriteStringValue);
        WriteArray(json, "wrong_answers", wrongAnswers, json.WriteStringValue);
    }

    private static void WritePair(Utf8JsonWriter json, PromptPair pair, BpeTokenizer? tokenizer, Metric? metric)
    {
        json.WriteStartObject();
        WriteNames(json, pair.Id, pair.Label);
        if (metric is not null)
            json.WriteString("metric", metric.Name);
        if (tokenizer is not null && pair.CleanText is { } clean && pair.CorruptedText is { } corrupted
            && AsTexts(pair.Answers, tokenizer) is { } answers && AsTexts(pair.WrongAnswers, tokenizer) is { } wrongAnswers)
        {
            WriteTexts(json, clean, corrupted, answers, wrongAnswers);
            WritePositions(json, pair, begin: pair.Length - tokenizer.Encode(clean).Length);
        }
        else
        {
            WriteArray(json, "clean_ids", pair.Clean, json.WriteNumberValue);
            WriteArray(json, "corrupted_ids", pair.Corrupted, json.WriteNumberValue);
            WriteArray(json, "answer_ids", pair.Answers, json.WriteNumberValue);
            WriteArray(json, "wrong_answer_ids", pair.WrongAnswers, json.WriteNumberValue);
            WritePositions(json, pair, begin: 0);
        }

        json.WriteEndObject();
    }

    // A text stands there without its begin token, which its positions and spans then do not count.
    private static void WritePositions(Utf8JsonWriter json, PromptPair pair, int begin)
    {
        if (pair.KeyPositions.Count > 0)
        {
            json.WriteStartObject("positions");
            foreach (var (name, at) in pair.KeyPositions)
                json.WriteNumber(name, at - begin);
            json.WriteEndObject();
        }

        if (pair.Spans.Count == 0)
            return;
        json.WriteStartObject("spans");
        foreach (var span in TokenSpans.Behind(pair.Spans, -begin))
            WriteArray(json, span.Name, [span.From, span.To], json.WriteNumberValue);
        json.WriteEndObject();
    }

    private static void WriteArray<T>(Utf8JsonWriter json, string name, IEnumerable<T> values, Action<T> write)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            write(value);
        json.WriteEndArray();
    }

    // Null where a token is not whole text (half of a character), so that reading it back would give another token.
    private static string[]? AsTexts(int[] ids, BpeTokenizer tokenizer)
    {
        var texts = Array.ConvertAll(ids, id => tokenizer.Decode([id]));
        return ids.Zip(texts).All(pair => tokenizer.SingleToken(pair.Second) == pair.First) ? texts : null;
    }
}
