using System.Text;
using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Discovery;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Native.Calls;
using Gradpath.Native.Options;

namespace Gradpath.Native.Tests;

/// <summary>Options as JSON: every method and every search takes back what its provenance states.</summary>
public sealed class OptionTests
{
    private static readonly ComputationGraph s_graph = new(2, 2);

    public static TheoryData<string> Methods => [.. AttributionMethods.All.Select(m => m.Name)];

    public static TheoryData<string> Searches => [.. CircuitSearches.All.Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(Methods))]
    public void What_a_method_states_it_takes(string name)
    {
        AttributionMethod method = AttributionMethods.Find(name);
        JsonObject stated = new AttributionOptions { Method = method }.Describe();
        JsonObject given = (JsonObject)stated.DeepClone();
        given["method"] = name;
        AttributionOptions read = Read(given, o => ScoreReader.Read(o, null));
        Assert.Equal(stated.ToJsonString(), read.Describe().ToJsonString());
        AttributionChecks.CheckOptions(read);
    }

    [Theory]
    [MemberData(nameof(Searches))]
    public void What_a_search_states_it_takes(string name)
    {
        CircuitSearch search = CircuitSearches.Find(name);
        SearchOptions plain = Read([], o => SearchReaders.Read(search, o, new(s_graph, null, null)));
        JsonObject stated = Stated(plain);
        SearchOptions read = Read(stated, o => SearchReaders.Read(search, o, new(s_graph, null, null)));
        Assert.Equal(stated.ToJsonString(), Stated(read).ToJsonString());
        Assert.IsType(search.Defaults.GetType(), read);
    }

    [Fact]
    public void Dashes_and_underscores_are_the_same() => Assert.Equal(
        7, Read(new JsonObject { ["batch_size"] = 7, ["normalization"] = "library" }, o => ScoreReader.Read(o, null)).BatchSize);

    [Theory]
    [InlineData("""{"steps": 1.5}""", "options: steps is 1.5; a whole number from 1 to")]
    [InlineData("""{"steps": true}""", "options: steps is true; a whole number")]
    [InlineData("""{"method": 3}""", "options: method is 3; a string is needed")]
    [InlineData("""{"of": ["eap", 3], "method": "ensemble"}""", "options: of is a JSON array; an array of strings is needed")]
    [InlineData("""{"ig-points": "middle"}""", "options: ig-points middle: no such value; choose left, right or midpoint")]
    [InlineData("""{"step": 1}""", "options: step: no such option; did you mean steps?")]
    [InlineData("""{"method": "eap", "of": ["eap"]}""", "options: of does not apply to eap; ensemble takes it")]
    [InlineData("""{"method": "eap-gp", "preset": "saturate"}""", "options: preset saturate: no such preset; did you mean saturated?")]
    [InlineData("""{"a": 1, "a": 2}""", "options")]
    [InlineData("nothing", "options, line 1: not valid JSON")]
    public void What_cannot_be_used_is_said_by_name(string json, string message)
    {
        var e = Assert.Throws<CallException>(() => OptionObject.Read(Encoding.UTF8.GetBytes(json), o => ScoreReader.Read(o, null)));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Equal(Status.Argument, e.Status);
    }

    [Theory]
    [InlineData("cuda:x")]
    [InlineData("gpu")]
    public void Devices_have_names(string name)
    {
        var e = Assert.Throws<CallException>(() => Read([], o => DeviceReader.Read(name, o)));
        Assert.Contains("no such device", e.Message, StringComparison.Ordinal);
    }

    private static JsonObject Stated(SearchOptions options)
    {
        // As provenance has them: with every default in place.
        SearchOptions whole = options is EdgePruningOptions training ? training.Resolve(s_graph.EdgeCount) : options;
        JsonObject stated = whole.Describe(s_graph);

        // Not options of their own: what the scores were, and names of all senders in place of "all".
        stated.Remove("order_scores");
        if (stated["senders"]?.GetValue<string>() is { } senders) stated["senders"] = senders.Replace(' ', ',');
        if (stated["receivers"]?.GetValue<string>() is { } receivers) stated["receivers"] = receivers.Replace(' ', ',');
        return stated;
    }

    private static T Read<T>(JsonObject json, Func<OptionObject, T> read) =>
        OptionObject.Read(Encoding.UTF8.GetBytes(json.ToJsonString()), read);
}
