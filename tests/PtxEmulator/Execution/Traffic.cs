namespace Gradpath.PtxEmulator.Execution;

/// <summary>What the accesses of a warp's lanes cost together.</summary>
internal static class Traffic
{
    /// <summary>Different sectors of 32 bytes touched.</summary>
    public static int Sectors(ReadOnlySpan<ulong> addresses, int bytes)
    {
        Span<ulong> seen = stackalloc ulong[64];
        int count = 0;
        foreach (ulong address in addresses)
        {
            // An aligned access of up to 16 bytes lies within one sector.
            ulong sector = address / 32;
            if (!seen[..count].Contains(sector)) seen[count++] = sector;
        }
        return count;
    }

    /// <summary>The most different words that lie in one of the 32 banks of 4 bytes: turns that the access takes.</summary>
    public static int BankTurns(ReadOnlySpan<ulong> addresses, int bytes)
    {
        Span<ulong> words = stackalloc ulong[128];
        Span<int> banks = stackalloc int[32];
        int count = 0, most = 1;
        foreach (ulong address in addresses)
        {
            for (int at = 0; at < bytes; at += 4)
            {
                ulong word = (address + (ulong)at) / 4;
                if (words[..count].Contains(word)) continue;
                words[count++] = word;
                most = Math.Max(most, ++banks[(int)(word % 32)]);
            }
        }
        return most;
    }
}
