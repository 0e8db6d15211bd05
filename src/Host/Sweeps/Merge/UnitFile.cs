namespace Gradpath.Host.Sweeps.Merge;

/// <summary>A file of a unit that the page links to.</summary>
/// <param name="Name">What the link says.</param>
/// <param name="Path">The file as seen from the page's folder, with slashes.</param>
internal sealed record UnitFile(string Name, string Path);
