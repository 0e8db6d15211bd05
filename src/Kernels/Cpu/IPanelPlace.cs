namespace Gradpath.Kernels.Cpu;

/// <summary>The place of a panel of B as a type, so that a loop is compiled for each.</summary>
internal interface IPanelPlace
{
    /// <summary>Whether the panel is read from B itself.</summary>
    static abstract bool InPlace { get; }

    /// <summary>Whether the loop writes the packed copy.</summary>
    static abstract bool PacksOnTheWay { get; }

    /// <summary>Whether the loop fetches the next panel into the cache.</summary>
    static abstract bool PrefetchesNext { get; }
}

internal readonly struct PanelIsPacked : IPanelPlace
{
    public static bool InPlace => false;

    public static bool PacksOnTheWay => false;

    public static bool PrefetchesNext => false;
}

internal readonly struct PanelIsPackedNextIsFetched : IPanelPlace
{
    public static bool InPlace => false;

    public static bool PacksOnTheWay => false;

    public static bool PrefetchesNext => true;
}

internal readonly struct PanelIsPackedOnTheWay : IPanelPlace
{
    public static bool InPlace => true;

    public static bool PacksOnTheWay => true;

    public static bool PrefetchesNext => false;
}

internal readonly struct PanelIsInPlace : IPanelPlace
{
    public static bool InPlace => true;

    public static bool PacksOnTheWay => false;

    public static bool PrefetchesNext => false;
}
