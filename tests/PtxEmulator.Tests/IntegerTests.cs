using static Gradpath.PtxEmulator.Tests.PtxRun;

namespace Gradpath.PtxEmulator.Tests;

public sealed class IntegerTests
{
    [Theory]
    [InlineData("add.s32 %r4, %r1, %r2;", 0x7FFFFFFFu, 1u, 0u, 0x80000000u)]
    [InlineData("add.sat.s32 %r4, %r1, %r2;", 0x7FFFFFFFu, 1u, 0u, 0x7FFFFFFFu)]
    [InlineData("sub.sat.s32 %r4, %r1, %r2;", 0x80000000u, 1u, 0u, 0x80000000u)]
    [InlineData("sub.u32 %r4, %r1, %r2;", 3u, 5u, 0u, 0xFFFFFFFEu)]
    [InlineData("mul.lo.s32 %r4, %r1, %r2;", 0x10001u, 0x10003u, 0u, 0x40003u)]
    [InlineData("mul.hi.s32 %r4, %r1, %r2;", 0xFFFFFFFFu, 5u, 0u, 0xFFFFFFFFu)]
    [InlineData("mul.hi.u32 %r4, %r1, %r2;", 0xFFFFFFFFu, 5u, 0u, 4u)]
    [InlineData("mad.lo.s32 %r4, %r1, %r2, %r3;", 7u, 6u, 5u, 47u)]
    [InlineData("mad.hi.u32 %r4, %r1, %r2, %r3;", 0x80000000u, 6u, 5u, 8u)]
    [InlineData("mul.wide.u16 %r4, %h1, %h2;", 0xFFFFu, 0xFFFFu, 0u, 0xFFFE0001u)]
    [InlineData("mul.wide.s16 %r4, %h1, %h2;", 0xFFFFu, 3u, 0u, 0xFFFFFFFDu)]
    [InlineData("div.s32 %r4, %r1, %r2;", 0xFFFFFFF9u, 2u, 0u, 0xFFFFFFFDu)]
    [InlineData("div.u32 %r4, %r1, %r2;", 0xFFFFFFF9u, 2u, 0u, 0x7FFFFFFCu)]
    [InlineData("div.s32 %r4, %r1, %r2;", 0x80000000u, 0xFFFFFFFFu, 0u, 0x80000000u)]
    [InlineData("div.u32 %r4, %r1, %r2;", 5u, 0u, 0u, 0xFFFFFFFFu)]
    [InlineData("rem.s32 %r4, %r1, %r2;", 0xFFFFFFF9u, 2u, 0u, 0xFFFFFFFFu)]
    [InlineData("rem.u32 %r4, %r1, %r2;", 0xFFFFFFF9u, 16u, 0u, 9u)]
    [InlineData("min.s32 %r4, %r1, %r2;", 0xFFFFFFFFu, 1u, 0u, 0xFFFFFFFFu)]
    [InlineData("min.u32 %r4, %r1, %r2;", 0xFFFFFFFFu, 1u, 0u, 1u)]
    [InlineData("max.s32 %r4, %r1, %r2;", 0xFFFFFFFFu, 1u, 0u, 1u)]
    [InlineData("max.u32 %r4, %r1, %r2;", 0xFFFFFFFFu, 1u, 0u, 0xFFFFFFFFu)]
    [InlineData("abs.s32 %r4, %r1;", 0xFFFFFFFBu, 0u, 0u, 5u)]
    [InlineData("neg.s32 %r4, %r1;", 5u, 0u, 0u, 0xFFFFFFFBu)]
    [InlineData("sad.u32 %r4, %r1, %r2, %r3;", 3u, 10u, 100u, 107u)]
    [InlineData("sad.s32 %r4, %r1, %r2, %r3;", 0xFFFFFFFFu, 10u, 100u, 111u)]
    [InlineData("and.b32 %r4, %r1, %r2;", 0xFF00FF00u, 0x0FF00FF0u, 0u, 0x0F000F00u)]
    [InlineData("or.b32 %r4, %r1, %r2;", 0xFF00FF00u, 0x0FF00FF0u, 0u, 0xFFF0FFF0u)]
    [InlineData("xor.b32 %r4, %r1, %r2;", 0xFF00FF00u, 0x0FF00FF0u, 0u, 0xF0F0F0F0u)]
    [InlineData("not.b32 %r4, %r1;", 0xFF00FF00u, 0u, 0u, 0x00FF00FFu)]
    [InlineData("cnot.b32 %r4, %r1;", 0u, 0u, 0u, 1u)]
    [InlineData("shl.b32 %r4, %r1, %r2;", 3u, 31u, 0u, 0x80000000u)]
    [InlineData("shl.b32 %r4, %r1, %r2;", 3u, 32u, 0u, 0u)]
    [InlineData("shl.b32 %r4, %r1, 40;", 3u, 0u, 0u, 0u)]
    [InlineData("shr.u32 %r4, %r1, %r2;", 0x80000000u, 31u, 0u, 1u)]
    [InlineData("shr.u32 %r4, %r1, %r2;", 0x80000000u, 255u, 0u, 0u)]
    [InlineData("shr.s32 %r4, %r1, %r2;", 0x80000000u, 40u, 0u, 0xFFFFFFFFu)]
    [InlineData("shr.s32 %r4, %r1, 4;", 0x80000000u, 0u, 0u, 0xF8000000u)]
    [InlineData("shf.l.wrap.b32 %r4, %r1, %r2, %r3;", 0x80000001u, 0x12345678u, 4u, 0x23456788u)]
    [InlineData("shf.l.clamp.b32 %r4, %r1, %r2, %r3;", 0x80000001u, 0x12345678u, 40u, 0x80000001u)]
    [InlineData("shf.r.wrap.b32 %r4, %r1, %r2, %r3;", 0x80000001u, 0x12345678u, 36u, 0x88000000u)]
    [InlineData("shf.r.clamp.b32 %r4, %r1, %r2, %r3;", 0x80000001u, 0x12345678u, 36u, 0x12345678u)]
    [InlineData("lop3.b32 %r4, %r1, %r2, %r3, 0x96;", 0xF0F0F0F0u, 0xCCCCCCCCu, 0xAAAAAAAAu, 0x96969696u)]
    [InlineData("lop3.b32 %r4, %r1, %r2, %r3, 0xE8;", 0xF0F0F0F0u, 0xCCCCCCCCu, 0xAAAAAAAAu, 0xE8E8E8E8u)]
    [InlineData("prmt.b32 %r4, %r1, %r2, %r3;", 0x33221100u, 0x77665544u, 0x7420u, 0x77442200u)]
    [InlineData("prmt.b32 %r4, %r1, %r2, 0x0008;", 0x332211F0u, 0x77665544u, 0u, 0xF0F0F0FFu)]
    [InlineData("bfe.u32 %r4, %r1, %r2, %r3;", 0xABCD1234u, 8u, 8u, 0x12u)]
    [InlineData("bfe.u32 %r4, %r1, %r2, %r3;", 0xABCD1234u, 24u, 30u, 0xABu)]
    [InlineData("bfe.u32 %r4, %r1, %r2, %r3;", 0xABCD1234u, 4u, 0u, 0u)]
    [InlineData("bfe.s32 %r4, %r1, %r2, %r3;", 0xABCD1234u, 24u, 8u, 0xFFFFFFABu)]
    [InlineData("bfe.s32 %r4, %r1, %r2, %r3;", 0xABCD1234u, 28u, 20u, 0xFFFFFFFAu)]
    [InlineData("bfi.b32 %r4, %r1, %r2, 8, 8;", 0xFFu, 0x12345678u, 0u, 0x1234FF78u)]
    [InlineData("popc.b32 %r4, %r1;", 0xF00Fu, 0u, 0u, 8u)]
    [InlineData("clz.b32 %r4, %r1;", 0xF00Fu, 0u, 0u, 16u)]
    [InlineData("clz.b32 %r4, %r1;", 0u, 0u, 0u, 32u)]
    [InlineData("brev.b32 %r4, %r1;", 0x80000002u, 0u, 0u, 0x40000001u)]
    [InlineData("bfind.u32 %r4, %r1;", 0x00010000u, 0u, 0u, 16u)]
    [InlineData("bfind.s32 %r4, %r1;", 0xFFFFFFFEu, 0u, 0u, 0u)]
    [InlineData("slct.u32.s32 %r4, %r1, %r2, %r3;", 1u, 2u, 0xFFFFFFFFu, 2u)]
    [InlineData("slct.u32.f32 %r4, %r1, %r2, %f3;", 1u, 2u, 0x80000000u, 1u)]
    [InlineData("slct.u32.f32 %r4, %r1, %r2, %f3;", 1u, 2u, 0x7FC00000u, 2u)]
    [InlineData("add.s16 %h4, %h1, %h2;", 0xFFFFu, 2u, 0u, 1u)]
    [InlineData("shr.s16 %h4, %h1, 20;", 0x8000u, 0u, 0u, 0xFFFFu)]
    [InlineData("{ .reg .b16 lo, hi; mov.b32 {lo, hi}, %r1; mov.b32 %r4, {hi, lo}; }", 0x12345678u, 0u, 0u, 0x56781234u)]
    [InlineData("set.lt.u32.s32 %r4, %r1, %r2;", 0xFFFFFFFFu, 0u, 0u, 0xFFFFFFFFu)]
    [InlineData("set.lt.f32.s32 %f4, %r1, %r2;", 0xFFFFFFFFu, 0u, 0u, 0x3F800000u)]
    public void Words(string instruction, uint a, uint b, uint c, uint expected) => Assert.Equal(expected, Word(instruction, a, b, c));

    [Theory]
    [InlineData("add.s64 %rd5, %rd2, %rd3;", ulong.MaxValue, 2ul, 0ul, 1ul)]
    [InlineData("mul.lo.s64 %rd5, %rd2, %rd3;", 0x100000001ul, 3ul, 0ul, 0x300000003ul)]
    [InlineData("mul.hi.u64 %rd5, %rd2, %rd3;", ulong.MaxValue, 4ul, 0ul, 3ul)]
    [InlineData("mul.hi.s64 %rd5, %rd2, %rd3;", ulong.MaxValue, 4ul, 0ul, ulong.MaxValue)]
    [InlineData("mul.wide.s32 %rd5, %r2, %r3;", 0xFFFFFFFFul, 4ul, 0ul, 0xFFFFFFFFFFFFFFFCul)]
    [InlineData("mul.wide.u32 %rd5, %r2, %r3;", 0xFFFFFFFFul, 4ul, 0ul, 0x3FFFFFFFCul)]
    [InlineData("mad.wide.s32 %rd5, %r2, %r3, %rd4;", 0xFFFFFFFFul, 4ul, 5ul, 1ul)]
    [InlineData("div.s64 %rd5, %rd2, %rd3;", 0xFFFFFFFFFFFFFFF9ul, 2ul, 0ul, 0xFFFFFFFFFFFFFFFDul)]
    [InlineData("rem.u64 %rd5, %rd2, %rd3;", ulong.MaxValue, 10ul, 0ul, 5ul)]
    [InlineData("shl.b64 %rd5, %rd2, %r3;", 1ul, 63ul, 0ul, 0x8000000000000000ul)]
    [InlineData("shl.b64 %rd5, %rd2, %r3;", 1ul, 64ul, 0ul, 0ul)]
    [InlineData("shr.s64 %rd5, %rd2, %r3;", 0x8000000000000000ul, 99ul, 0ul, ulong.MaxValue)]
    [InlineData("shr.u64 %rd5, %rd2, %r3;", 0x8000000000000000ul, 64ul, 0ul, 0ul)]
    [InlineData("bfe.u64 %rd5, %rd2, 32, 8;", 0x1234567800000000ul, 0ul, 0ul, 0x78ul)]
    [InlineData("bfe.s64 %rd5, %rd2, 60, 8;", 0x9234567800000000ul, 0ul, 0ul, 0xFFFFFFFFFFFFFFF9ul)]
    [InlineData("bfi.b64 %rd5, %rd2, %rd3, 32, 8;", 0xFFul, 0ul, 0ul, 0xFF00000000ul)]
    [InlineData("brev.b64 %rd5, %rd2;", 1ul, 0ul, 0ul, 0x8000000000000000ul)]
    [InlineData("{ .reg .b32 t; popc.b64 t, %rd2; cvt.u64.u32 %rd5, t; }", 0xF0000000000000F0ul, 0ul, 0ul, 8ul)]
    [InlineData("{ .reg .b32 t; clz.b64 t, %rd2; cvt.u64.u32 %rd5, t; }", 1ul, 0ul, 0ul, 63ul)]
    [InlineData("mov.b64 %rd5, {%r3, %r2};", 1ul, 2ul, 0ul, 0x100000002ul)]
    [InlineData("not.b64 %rd5, %rd2;", 0ul, 0ul, 0ul, ulong.MaxValue)]
    [InlineData("min.s64 %rd5, %rd2, %rd3;", ulong.MaxValue, 1ul, 0ul, ulong.MaxValue)]
    [InlineData("max.u64 %rd5, %rd2, %rd3;", ulong.MaxValue, 1ul, 0ul, ulong.MaxValue)]
    [InlineData("abs.s64 %rd5, %rd2;", ulong.MaxValue, 0ul, 0ul, 1ul)]
    [InlineData("cvt.s64.s32 %rd5, %r2;", 0x80000000ul, 0ul, 0ul, 0xFFFFFFFF80000000ul)]
    [InlineData("cvt.u64.u32 %rd5, %r2;", 0x80000000ul, 0ul, 0ul, 0x80000000ul)]
    public void Longs(string instruction, ulong a, ulong b, ulong c, ulong expected) => Assert.Equal(expected, Long(instruction, a, b, c));

    [Theory]
    [InlineData("lt.s32", 0xFFFFFFFFu, 1u, true)]
    [InlineData("lt.u32", 0xFFFFFFFFu, 1u, false)]
    [InlineData("lo.s32", 0xFFFFFFFFu, 1u, false)]
    [InlineData("ls.u32", 1u, 1u, true)]
    [InlineData("hi.u32", 0xFFFFFFFFu, 1u, true)]
    [InlineData("hs.u32", 1u, 2u, false)]
    [InlineData("le.s32", 0x80000000u, 0u, true)]
    [InlineData("ge.s32", 0u, 0x80000000u, true)]
    [InlineData("ge.u32", 0u, 0x80000000u, false)]
    [InlineData("gt.s32", 1u, 1u, false)]
    [InlineData("eq.b32", 7u, 7u, true)]
    [InlineData("ne.b32", 7u, 7u, false)]
    public void Comparisons(string comparison, uint a, uint b, bool expected)
    {
        Assert.Equal(expected, Predicate($"setp.{comparison} %p1, %r1, %r2;", a, b));
        Assert.Equal(!expected, Predicate($"setp.{comparison} %p2|%p1, %r1, %r2;", a, b));
        Assert.Equal(expected && b != 7,
            Predicate($"setp.ne.b32 %p3, %r2, 7; setp.{comparison}.and.b32 %p1, %r1, %r2, %p3;".Replace($"{comparison}.and.b32",
            comparison.Insert(2, ".and"), StringComparison.Ordinal), a, b));
        Assert.Equal(
            expected ^ (b == 7), Predicate($"setp.ne.b32 %p3, %r2, 7; setp.{comparison.Insert(2, ".xor")} %p1, %r1, %r2, !%p3;", a, b));
    }

    [Fact]
    public void A_guard_that_is_false_leaves_everything_as_it_was() =>
        Assert.Equal(5u, Word("mov.u32 %r4, 5; setp.eq.u32 %p1, %r1, 1; @%p1 mov.u32 %r4, 6; @!%p1 add.u32 %r4, %r4, 0;", 2));

    [Fact]
    public void An_indexed_branch_takes_the_label_of_its_index()
    {
        const string body = "brx.idx %r1, targets; targets: .branchtargets A, B, C; A: mov.u32 %r4, 10; bra.uni E; B: mov.u32 %r4, 11; "
            + "bra.uni E; C: mov.u32 %r4, 12; E:";
        for (uint i = 0; i < 3; i++) Assert.Equal(10 + i, Word(body, i));
    }

    [Fact]
    public void Labels_and_registers_of_a_scope_hide_those_around_it() =>
        Assert.Equal(9u, Word("mov.u32 %r4, 1; { .reg .b32 %r5; mov.u32 %r5, 4; L: add.u32 %r4, %r4, %r5; setp.lt.u32 %p1, %r4, 8; @%p1 "
            + "bra L; } bra.uni L2; L: mov.u32 %r4, 0; L2:"));
}
