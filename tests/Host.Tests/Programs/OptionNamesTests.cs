using System.Reflection;
using CommandLine;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Options;

namespace Gradpath.Host.Tests;

public sealed class OptionNamesTests
{
    private static readonly HashSet<string> s_options =
    [
        .. VerbTable.OptionTypes
            .SelectMany(type => type.GetProperties())
            .Select(p => p.GetCustomAttribute<OptionAttribute>()?.LongName)
            .OfType<string>(),
    ];

    public static TheoryData<string> AllTerms =>
        [.. typeof(Terms).GetProperties().Where(p => p.PropertyType == typeof(Term)).Select(p => p.Name)];

    /// <summary>A message of the library that names a property sends the user to an option that some verb has.</summary>
    [Theory]
    [MemberData(nameof(AllTerms))]
    public void Every_term_of_the_library_is_an_option_or_plain_words(string property)
    {
        var term = (Term)typeof(Terms).GetProperty(property)!.GetValue(null)!;
        string name = OptionNames.Of(term);
        if (name.StartsWith("--", StringComparison.Ordinal)) Assert.Contains(name[2..], s_options);
        else Assert.NotEqual(term.Name, name);
    }

    [Fact]
    public void A_value_follows_the_option() => Assert.Equal("--steps 0", OptionNames.Of(Terms.Steps.With(0)));

    [Fact]
    public void A_search_is_a_verb() => Assert.Equal("'gradpath acdc'", OptionNames.Of(Terms.Search("acdc")));
}
