using System.Reflection;
using CommandLine;

namespace Gradpath.Host.Tests;

/// <summary>Numbers at the ends of what integers hold: refused with the range, before anything is loaded.</summary>
public sealed class RangeTests
{
    private static readonly string[] s_values = ["0", "-1", "2147483647", "2147483648", "1e400"];

    public static TheoryData<string, string> Numbers
    {
        get
        {
            TheoryData<string, string> all = [];
            foreach (Type options in VerbTable.OptionTypes)
            {
                foreach (PropertyInfo property in options.GetProperties().Where(NumericArguments.IsNumeric))
                {
                    if (property.GetCustomAttribute<OptionAttribute>() is { } option)
                        all.Add(options.GetCustomAttribute<VerbAttribute>()!.Name, option.LongName);
                }
            }
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Every_number_has_a_range_that_is_stated_and_checked(string verb, string option)
    {
        Type options = VerbTable.OptionTypes.First(t => t.GetCustomAttribute<VerbAttribute>()!.Name == verb);
        PropertyInfo property = OptionWords.Find(options, option)!;
        RangeAttribute? range = property.GetCustomAttribute<RangeAttribute>();
        // A seed of prompts is any number that the type holds.
        Assert.True(range is not null || property.PropertyType == typeof(ulong));
        if (range is not null) Cli.Run(verb, "--help").Succeeds($"--{option} {range}");
        foreach (string value in s_values)
        {
            bool takes = value != "1e400" && (range is null ? value != "-1" : range.Has(double.Parse(value)));
            Cli run = Cli.Run(verb, $"--{option}", value);
            string refused = $"gradpath: --{option} {value}: ";
            if (takes) Assert.DoesNotContain(refused, run.Error, StringComparison.Ordinal);
            else run.Fails(2, refused);
        }
    }

    [Theory]
    [InlineData("score --top 2147483648", "--top 2147483648: must be from 0 to 100000000")]
    [InlineData("curve --fractions 0.5,0", "--fractions 0.5,0: must be above 0 and at most 1")]
    [InlineData("hap --keep 0", "--keep 0: must be above 0 and at most 1")]
    [InlineData("edge-prune --sparsity 1", "--sparsity 1: must be above 0 and below 1")]
    public void The_range_is_said(string command, string message) => Cli.Run(command.Split(' ')).Fails(2, message);
}
