using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gradpath.Gpt2Runtime.Tasks.Catalog;

/// <summary>
/// How the word lists are read: code that the compiler writes, so that a program compiled ahead of time has it. A task with a list of words
/// has its line here.
/// </summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CountryCapitalTask.Words), TypeInfoPropertyName = "CountryCapitalWords")]
[JsonSerializable(typeof(GenderBiasTask.Words), TypeInfoPropertyName = "GenderBiasWords")]
[JsonSerializable(typeof(GreaterThanTask.Words), TypeInfoPropertyName = "GreaterThanWords")]
[JsonSerializable(typeof(HypernymyTask.Words), TypeInfoPropertyName = "HypernymyWords")]
[JsonSerializable(typeof(IoiTask.Words), TypeInfoPropertyName = "IoiWords")]
[JsonSerializable(typeof(SvaTask.Words), TypeInfoPropertyName = "SvaWords")]
internal sealed partial class WordListContext : JsonSerializerContext;
