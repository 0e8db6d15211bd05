using System.Reflection;
using CommandLine;

namespace Gradpath.Host.Tests;

public sealed class NumericArgumentsTests
{
    private static readonly Type[] s_numbers =
        [typeof(int), typeof(int?), typeof(ulong), typeof(float?), typeof(double), typeof(double?), typeof(IEnumerable<double>)];

    public static TheoryData<string, string, bool> NumericOptions
    {
        get
        {
            TheoryData<string, string, bool> all = [];
            foreach (Type options in VerbTable.OptionTypes)
            {
                foreach (PropertyInfo property in options.GetProperties().Where(p => s_numbers.Contains(p.PropertyType)))
                {
                    if (property.GetCustomAttribute<OptionAttribute>() is { } option)
                        all.Add(options.GetCustomAttribute<VerbAttribute>()!.Name, option.LongName, option.Separator == ',');
                }
            }
            return all;
        }
    }

    [Theory]
    [MemberData(nameof(NumericOptions))]
    public void No_numeric_option_takes_another_writing_of_a_number(string verb, string option, bool list)
    {
        foreach (string text in new[] { "0,05", "1,000", "1 000", "1_000", "0x10", "NaN", "Infinity", "1e999" })
        {
            if (list && text.Contains(',')) continue;
            foreach (string[] written in new[] { new[] { $"--{option}", text }, [$"--{option}={text}"] })
                Cli.Run([verb, .. written]).Fails(2, $"--{option} {text}: ");
        }
    }

    [Theory]
    [InlineData("--top-n 3.5", "--top-n 3.5: '3.5' is not a whole number")]
    [InlineData("--top-n 2147483648", "--top-n 2147483648: must be from 0 to 100000000")]
    [InlineData("--threshold 0,05", "--threshold 0,05: '0,05' is not a number", "'.' as the decimal point")]
    [InlineData("--top-n 99999999999999999999", "--top-n 99999999999999999999: must be from 0 to 100000000")]
    [InlineData("--threshold NaN", "--threshold NaN: 'NaN' is not a number")]
    [InlineData("--threshold 1e39", "--threshold 1e39: must be from -1e38 to 1e38")]
    [InlineData("--threshold=", "--threshold needs a value: --threshold T.")]
    public void What_would_be_right_is_said(string options, params string[] mentions) =>
        Cli.Run(["circuit", "--scores", "s.json", "--out", "c.json", .. options.Split(' ')]).Fails(2, mentions);

    [Fact]
    public void An_element_of_a_list_is_named() =>
        Cli.Run("benchmark", "--sparsity", "0.9,half").Fails(2, "--sparsity 0.9,half: 'half' is not a number");
}
