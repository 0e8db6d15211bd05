using System.Text;
using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests;

/// <summary>A kernel of more instructions than one method holds gives what it would give in one.</summary>
public sealed class PieceTests
{
    // A loop of which each turn runs through several pieces, meets at barriers in each, and skips a part under a predicate.
    private static string Long(int parts, int adds)
    {
        var body = new StringBuilder("mov.u32 %r1, 0; mov.u32 %r2, 0; and.b32 %r5, %r0, 1; setp.eq.u32 %p2, %r5, 0;\nL:\n");
        for (int part = 0; part < parts; part++)
        {
            body.Append($"@%p2 bra E{part};\n");
            for (int i = 0; i < adds; i++) body.Append($"add.u32 %r1, %r1, {i % 7};\n");
            body.Append($"E{part}:\nbar.sync 0;\nadd.u32 %r1, %r1, 1000;\n");
        }
        body.Append("add.u32 %r2, %r2, 1; setp.lt.u32 %p1, %r2, 3; @%p1 bra L;\n");
        body.Append("mul.wide.u32 %rd2, %r0, 4; add.s64 %rd3, %rd1, %rd2; st.global.u32 [%rd3], %r1;");
        return Kernel(body.ToString());
    }

    [Theory]
    [InlineData(1, 10)]
    [InlineData(3, 893)]
    [InlineData(3, 894)]
    [InlineData(3, 895)]
    [InlineData(3, 896)]
    [InlineData(3, 2000)]
    [InlineData(40, 70)]
    public void Loops_barriers_and_branches_go_on_in_the_piece_they_lead_to(int parts, int adds)
    {
        byte[] output = Run(Long(parts, adds), new byte[4], 4 * 64, 64);
        int odd = Enumerable.Range(0, adds).Sum(i => i % 7);
        for (int thread = 0; thread < 64; thread++)
        {
            int expected = 3 * parts * (1000 + (thread % 2 == 0 ? 0 : odd));
            Assert.Equal(expected, BitConverter.ToInt32(output, 4 * thread));
        }
    }

    /// <summary>A branch back over several pieces still lets the others have their turn, and one without end is found out.</summary>
    [Fact]
    public void A_long_loop_without_end_is_found_out()
    {
        string endless = Long(3, 900).Replace("setp.lt.u32 %p1, %r2, 3;", "setp.ge.u32 %p1, %r2, 0;", StringComparison.Ordinal);
        Assert.Contains(
            "does not end", Fault(endless.Replace("bar.sync 0;", "", StringComparison.Ordinal), options: new EmulatorOptions
            {
                InstructionLimit = 3_000_000,
            }).Message, StringComparison.Ordinal);
    }
}
