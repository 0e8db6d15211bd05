namespace Gradpath.Gpt2Runtime.Tests;

public sealed class NearestNameTests
{
    private static readonly string[] Names = ["eap", "eap-ig", "eap-ig-activations", "exact"];

    [Theory]
    [InlineData("eap-ig", "eap-ig")]
    [InlineData("EAP-IG", "eap-ig")]
    [InlineData("eap-gi", "eap-ig")]
    [InlineData("epa", "eap")]
    [InlineData("ea", "eap")]
    [InlineData("eap-ig-activation", "eap-ig-activations")]
    [InlineData("exackt", "exact")]
    [InlineData("random", null)]
    [InlineData("", null)]
    [InlineData("e", null)]
    public void A_name_is_near_with_few_letters_other_than_it(string written, string? nearest) =>
        Assert.Equal(nearest, NearestName.Of(written, Names));
}
