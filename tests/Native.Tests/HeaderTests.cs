using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Gradpath.Native.Calls;
using Gradpath.Native.Exports;

namespace Gradpath.Native.Tests;

/// <summary>gradpath.h and the code behind it say the same.</summary>
public sealed partial class HeaderTests
{
    private static readonly string s_header = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "src/Native/gradpath.h"));

    [Fact]
    public void Its_functions_are_those_that_the_library_exports()
    {
        IEnumerable<string> exported = typeof(LibraryExports).Assembly.GetTypes()
            .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public))
            .Select(m => m.GetCustomAttribute<UnmanagedCallersOnlyAttribute>()?.EntryPoint).OfType<string>();
        IEnumerable<string> declared = Declaration().Matches(s_header).Select(m => m.Groups[1].Value);
        Assert.Equal(exported.Order(StringComparer.Ordinal), declared.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_function_takes_as_many_arguments_as_it_is_declared_with()
    {
        foreach (MethodInfo method in typeof(LibraryExports).Assembly.GetTypes()
            .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.NonPublic)))
        {
            if (method.GetCustomAttribute<UnmanagedCallersOnlyAttribute>()?.EntryPoint is not { } name) continue;
            string arguments = Regex.Match(s_header, $@"\b{name}\(([^;]*)\);").Groups[1].Value;
            int declared = arguments == "void" ? 0 : arguments.Split(',').Length;
            int taken = method.GetParameters().Length;
            Assert.True(taken == declared, $"{name}: {taken} in the code, {declared} declared");
        }
    }

    [Fact]
    public void Its_errors_are_those_of_the_library()
    {
        Dictionary<string, int> declared = Error().Matches(s_header)
            .ToDictionary(m => m.Groups[1].Value.Replace("ERROR_", "", StringComparison.Ordinal), m => int.Parse(m.Groups[2].Value, null));
        Assert.Equal(
            Enum.GetValues<Status>().Select(s => $"{s.ToString().ToUpperInvariant()} {(int)s}"),
            declared.OrderBy(d => d.Value).Select(d => $"{d.Key} {d.Value}"));
    }

    [Fact]
    public void Its_version_of_the_interface_is_that_of_the_library() =>
        Assert.Contains($"#define GRADPATH_ABI {LibraryExports.Abi}u", s_header, StringComparison.Ordinal);

    [GeneratedRegex(@"^[a-z][\w ]*[ *](gradpath_[a-z_]+)\(", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^#define GRADPATH_(OK|ERROR_[A-Z]+) (\d+)", RegexOptions.Multiline)]
    private static partial Regex Error();
}
