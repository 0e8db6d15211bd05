using System.Reflection;
using CommandLine;

namespace Gradpath.Host.Tests;

public sealed class VerbTableTests
{
    [Fact]
    public void Every_class_of_options_with_a_verb_is_in_the_table_once()
    {
        IEnumerable<Type> verbs = typeof(VerbTable).Assembly.GetTypes().Where(t => t.GetCustomAttribute<VerbAttribute>() is not null);
        Assert.Equal(verbs.Select(t => t.Name).Order(StringComparer.Ordinal),
            VerbTable.OptionTypes.Select(t => t.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_two_verbs_share_a_name() => Assert.Equal(VerbTable.Names.Distinct(), VerbTable.Names);
}
