using System.Reflection;
using CommandLine;

namespace Gradpath.Host.Tests;

public sealed class ListArgumentsTests
{
    public static TheoryData<string, string> Lists
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (Type options in VerbTable.OptionTypes)
            {
                foreach (PropertyInfo property in options.GetProperties().Where(p => OptionWords.ElementOf(p) is not null))
                {
                    if (property.GetCustomAttribute<OptionAttribute>() is { } option)
                        all.Add(options.GetCustomAttribute<VerbAttribute>()!.Name, option.LongName);
                }
            }
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Lists))]
    public void Every_list_goes_with_commas(string verb, string option)
    {
        Type options = VerbTable.OptionTypes.First(t => t.GetCustomAttribute<VerbAttribute>()!.Name == verb);
        PropertyInfo property = OptionWords.Find(options, option)!;
        Assert.Equal(',', property.GetCustomAttribute<OptionAttribute>()!.Separator);
        Cli.Run(verb, $"--{option}", "0.1", "0.2").Fails(2, $"--{option} 0.1 0.2: several values go with commas", $"--{option} 0.1,0.2.");
        Cli.Run(verb, $"--{option}", "0.1,,0.2").Fails(2, $"--{option} 0.1,,0.2: an item between commas is empty");
        Cli.Run(verb, $"--{option}", "0.1,").Fails(2, "empty");
        Cli.Run(verb, $"--{option}=0.1,0.2,0.10").Fails(2, $"--{option} 0.1,0.2,0.10: 0.1 appears twice");
    }

    [Fact]
    public void Other_words_are_told_of_commas_too() => Cli.Run(
        "path-patch", "--model", "demo", "--task", "ioi", "--positions", "S1", "S2").Fails(2, "'S2' belongs to no option", "commas");
}
