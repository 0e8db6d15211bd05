using System.Text.Json.Nodes;
using Gradpath.Gpt2Runtime.Graph;

namespace Gradpath.Host.Commands;

/// <summary>How the reports of the verbs of sweeps were made. Units state for themselves how each was.</summary>
internal static class SweepProvenance
{
    /// <summary>The version of the program that runs.</summary>
    public static JsonObject Now() => new() { ["version"] = Provenance.ProgramVersion };
}
