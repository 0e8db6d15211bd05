using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Native.Calls;
using Gradpath.Native.Handles;
using Gradpath.Native.Objects;
using Gradpath.Native.Options;

namespace Gradpath.Native.Exports;

/// <summary>The functions of gradpath.h about prompt pairs.</summary>
internal static unsafe class PromptExports
{
    [UnmanagedCallersOnly(EntryPoint = "gradpath_prompts_load", CallConvs = [typeof(CallConvCdecl)])]
    private static int Load(nint model, byte* options, nuint optionsLength, RunArguments* run, nint* prompts) => Call.Run(() =>
    {
        Output.Require(prompts, "prompts");
        *prompts = 0;
        using RunScope scope = new(run, null);
        using HandleUse<ModelObject> of = HandleTable.Use<ModelObject>(model, HandleKind.Model, "model");
        (string? task, string? data, PromptOptions read) = OptionObject.Read(
            Utf8Text.Bytes(options, optionsLength, "options"),
            o => (o.Text("task"), o.Text("data"), PromptReader.Read(o, of.Value.Weights.Config) with
            {
                Seed = o.Seed() ?? 0,
                HardCorruption = o.Flag("hard-corruption") ?? false,
            }));
        if (task is null && data is null)
            throw CallException.Argument("options: task or data is needed: a task's name, or a file of prompts");
        PromptSet set = PromptReader.Judged(
            PromptLoader.LoadLazily(task, data, of.Value.Tokenizer, read, null, scope.Cancellation), read);
        *prompts = ModelExports.Keep(new PromptsObject(set, of.Value.Tokenizer));
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_prompts_parse", CallConvs = [typeof(CallConvCdecl)])]
    private static int Parse(
        nint model, byte* json, nuint jsonLength, byte* options, nuint optionsLength, nint* prompts) => Call.Run(() =>
    {
        Output.Require(prompts, "prompts");
        *prompts = 0;
        using HandleUse<ModelObject> of = HandleTable.Use<ModelObject>(model, HandleKind.Model, "model");
        if (json is null) throw CallException.Argument("json is NULL; an array of prompt pairs is needed");
        byte[] text = Utf8Text.Bytes(json, jsonLength, "json").ToArray();
        (string name, PromptOptions read) = OptionObject.Read(
            Utf8Text.Bytes(options, optionsLength, "options"),
            o => (o.Text("name") ?? "prompts", PromptReader.Read(o, of.Value.Weights.Config)));
        Lazy<BpeTokenizer>? vocabulary = of.Value.Tokenizer;
        PromptSet set = PromptReader.Judged(PromptLoader.ParseLazily(text, vocabulary, read, name), read);
        *prompts = ModelExports.Keep(new PromptsObject(set, vocabulary));
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_prompts_from_ids", CallConvs = [typeof(CallConvCdecl)])]
    private static int FromIds(nint model, PairsArgument* pairs, byte* options, nuint optionsLength, nint* prompts) => Call.Run(() =>
    {
        Output.Require(prompts, "prompts");
        Output.Require(pairs, "pairs");
        *prompts = 0;
        using HandleUse<ModelObject> of = HandleTable.Use<ModelObject>(model, HandleKind.Model, "model");
        byte[] text = JsonOf(*pairs);
        (string name, PromptOptions read) = OptionObject.Read(
            Utf8Text.Bytes(options, optionsLength, "options"),
            o => (o.Text("name") ?? "prompts", PromptReader.Read(o, of.Value.Weights.Config)));
        PromptSet set = PromptReader.Judged(PromptLoader.ParseLazily(text, of.Value.Tokenizer, read, name), read);
        *prompts = ModelExports.Keep(new PromptsObject(set, of.Value.Tokenizer));
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_prompts_ids", CallConvs = [typeof(CallConvCdecl)])]
    private static int Ids(nint prompts, byte* buffer, nuint capacity, nuint* length) => Call.Run(() =>
    {
        using HandleUse<PromptsObject> use = HandleTable.Use<PromptsObject>(prompts, HandleKind.Prompts, "prompts");
        using MemoryStream lines = new();
        PromptWriter.Write(lines, use.Value.Prompts.Pairs, null);
        Output.Write(Encoding.UTF8.GetString(lines.GetBuffer(), 0, (int)lines.Length), buffer, capacity, length);
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_prompts_save", CallConvs = [typeof(CallConvCdecl)])]
    private static int Save(nint prompts, byte* path, nuint pathLength) => Call.Run(() =>
    {
        using HandleUse<PromptsObject> use = HandleTable.Use<PromptsObject>(prompts, HandleKind.Prompts, "prompts");
        use.Value.Save(Utf8Text.Required(path, pathLength, "path"));
    });

    // Ids take the way of a file, so that they are checked by the same code.
    private static byte[] JsonOf(PairsArgument a)
    {
        if (a.Size < (nuint)sizeof(PairsArgument))
            throw CallException.Argument($"pairs.size is {a.Size}; sizeof(gradpath_pairs) is needed");
        using MemoryStream text = new();
        using (Utf8JsonWriter json = new(text))
        {
            json.WriteStartArray();
            int at = 0, answer = 0, wrong = 0;
            ReadOnlySpan<uint> lengths = Utf8Text.Array(a.Lengths, a.Count, "pairs.lengths");
            ReadOnlySpan<uint> answers = Utf8Text.Array(a.AnswerCounts, a.AnswerCounts is null ? 0 : a.Count, "pairs.answer_counts");
            ReadOnlySpan<uint> wrongs = Utf8Text.Array(a.WrongCounts, a.WrongCounts is null ? 0 : a.Count, "pairs.wrong_counts");
            for (int i = 0; i < lengths.Length; i++)
            {
                json.WriteStartObject();
                int before = at;
                Write(json, "clean_ids", a.Clean, a.Ids, ref at, lengths[i], i, "pairs.clean");
                Write(json, "corrupted_ids", a.Corrupted, a.Ids, ref before, lengths[i], i, "pairs.corrupted");
                if (!answers.IsEmpty) Write(json, "answer_ids", a.Answers, a.AnswerIds, ref answer, answers[i], i, "pairs.answers");
                if (!wrongs.IsEmpty) Write(json, "wrong_answer_ids", a.Wrong, a.WrongIds, ref wrong, wrongs[i], i, "pairs.wrong");
                json.WriteEndObject();
            }
            Whole(at, a.Ids, "pairs.lengths", "pairs.n_ids");
            Whole(answer, a.AnswerIds, "pairs.answer_counts", "pairs.n_answers");
            Whole(wrong, a.WrongIds, "pairs.wrong_counts", "pairs.n_wrong");
            json.WriteEndArray();
        }
        return text.ToArray();
    }

    private static void Write(Utf8JsonWriter json, string field, int* ids, nuint all, ref int at, uint count, int pair, string name)
    {
        if ((nuint)at + count > all)
            throw CallException.Argument($"{name} has {all} ids; pair {pair} asks for ids {at} to {(nuint)at + count - 1}");
        ReadOnlySpan<int> values = Utf8Text.Array(ids, all, name);
        json.WriteStartArray(field);
        foreach (int id in values.Slice(at, (int)count)) json.WriteNumberValue(id);
        json.WriteEndArray();
        at += (int)count;
    }

    private static void Whole(int used, nuint all, string counts, string name)
    {
        if ((nuint)used != all) throw CallException.Argument($"{counts} come to {used} ids, and {name} is {all}");
    }
}
