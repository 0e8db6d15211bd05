using System.Text.Json;
using Gradpath.Gpt2Runtime.Graph;
using Gradpath.Gpt2Runtime.Tokenization;

namespace Gradpath.Gpt2Runtime.Tests.Graph;

public sealed class ProvenanceTests
{
    [Fact]
    public void The_begin_token_is_kept_with_id_and_text()
    {
        Provenance written = new() { BeginToken = new BeginToken(2543, "<|é \"start\"|>") };
        string json = written.ToJson().ToJsonString();
        using JsonDocument document = JsonDocument.Parse(json);
        Assert.Equal(2543, document.RootElement.GetProperty("begin_token").GetProperty("id").GetInt32());
        Assert.Equal(written.BeginToken, Provenance.FromJson(document.RootElement, "x.json").BeginToken);
        Assert.DoesNotContain("begin_token", new Provenance().ToJson().ToJsonString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("{}")]
    [InlineData("""{"id": 1.5, "text": "x"}""")]
    [InlineData("""{"id": 1}""")]
    [InlineData("""{"id": 1, "text": 2}""")]
    public void A_begin_token_of_another_shape_is_refused(string value)
    {
        using JsonDocument document = JsonDocument.Parse($$"""{"begin_token": {{value}}}""");
        GradpathException error = Assert.Throws<GradpathException>(() => Provenance.FromJson(document.RootElement, "x.json"));
        Assert.StartsWith("x.json: 'gradpath.begin_token' must be", error.Message, StringComparison.Ordinal);
    }
}
