using System.Globalization;
using System.Reflection.Emit;
using Gradpath.PtxEmulator.Execution;
using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>What the four warps of a warpgroup do together: asynchronous products and the trade in registers.</summary>
internal sealed unsafe partial class KernelCompiler
{
    private const int LeastRegisters = 24, MostRegisters = 256;

    private void AddWarpgroups(Dictionary<string, Action<Instruction>> table)
    {
        table["wgmma"] = Warpgroup;
        table["setmaxnreg"] = SetRegisters;
    }

    private void Warpgroup(Instruction i)
    {
        _asynchronous = true;
        if (i.Guard is not null) throw Unknown(i, "under a predicate");
        switch (i.Parts[1])
        {
            case "fence":
                Allow(i, "fence", "sync", "aligned");
                Meet(new Collective(CollectiveKind.WarpgroupFence, "", i));
                break;
            case "commit_group":
                Allow(i, "commit_group", "sync", "aligned");
                Meet(new Collective(CollectiveKind.WarpgroupCommit, "", i));
                break;
            case "wait_group":
                Allow(i, "wait_group", "sync", "aligned");
                Meet(new Collective(CollectiveKind.WarpgroupWait, "", i) { Number = (int)Immediate(i, i.Operands[0]) });
                break;
            default:
                Product(i);
                break;
        }
    }

    private static long Immediate(Instruction i, Operand operand) =>
        operand is ImmediateOperand immediate ? (long)immediate.Bits : throw Unknown(i, "a constant is wanted");

    // The descriptors are at words 0 and 2, whether it adds to what there is at word 4; sums and A's registers stay where they are.
    private void Product(Instruction i)
    {
        string shape = i.Parts[4];
        Allow(i, "mma_async", "sync", "aligned", shape);
        if (!InFlight.IsProduct(i) || !shape.StartsWith("m64n", StringComparison.Ordinal)) throw Unknown(i);
        string[] sizes = shape[4..].Split('k');
        int width = int.Parse(sizes[0], CultureInfo.InvariantCulture), depth = int.Parse(sizes[1], CultureInfo.InvariantCulture);
        PtxType[] types = i.Types;
        bool known = types is [PtxType.F32, _, _] && types[1] == types[2] && width % 8 == 0 && width is >= 8 and <= 256
            && (types[1], depth) is (PtxType.F16 or PtxType.BF16, 16) or (PtxType.TF32, 8);
        if (!known) throw Unknown(i);
        int[] sums = Places(i.Operands[0]), factors = i.Operands[1] is VectorOperand ? Places(i.Operands[1]) : [];
        if (sums.Length != width / 2 || factors.Length is not (0 or 4)) throw Unknown(i, "it has too few or too many registers");
        long[] rest = [.. i.Operands.Skip(4).Select(o => Immediate(i, o))];
        int transposes = types[1] == PtxType.TF32 ? 0 : factors.Length == 0 ? 2 : 1;
        if (rest.Length != 2 + transposes || rest[0] != 1 || rest[1] != 1 || rest.Skip(2).Any(t => t is not (0 or 1)))
            throw Unknown(i, "its constants are not emulated");
        if (factors.Length == 0) ToExchange(0, i.Operands[1], PtxType.B64);
        ToExchange(2, i.Operands[2], PtxType.B64);
        PushExchange(4);
        Push(i.Operands[3], PtxType.Pred);
        _il.Emit(OpCodes.Stind_I4);
        Meet(new Collective(CollectiveKind.WarpgroupProduct, "", i)
        {
            Product = new WarpgroupProduct(
                width, types[1], TransposeA: transposes == 2 && rest[2] == 1, TransposeB: transposes > 0 && rest[^1] == 1, sums, factors)
            {
                Unfenced = _inFlight!.Unfenced(_index)?.Name,
            },
        });
    }

    private static int[] Places(Operand operand) =>
        [.. ((VectorOperand)operand).Elements.Select(e => ((RegisterOperand)e).Register.Offset)];

    private void SetRegisters(Instruction i)
    {
        Allow(i, "inc", "dec", "sync", "aligned");
        _asynchronous = true;
        long count = Immediate(i, i.Operands[0]);
        if (count % 8 != 0 || count is < LeastRegisters or > MostRegisters)
            throw Unknown(i, $"{count} registers; their number is a multiple of 8 from {LeastRegisters} to {MostRegisters}");
        Meet(new Collective(CollectiveKind.WarpgroupRegisters, i.Has("inc") ? "inc" : "dec", i) { Number = (int)count });
    }

    // An access to a register that may be in flight asks the worker whether it is. A's registers may be read at any time.
    private void CheckInFlight(Instruction i)
    {
        if (i.Op == "wgmma" || _inFlight!.At(_index) is not { Length: > 0 } pending) return;
        foreach (Register register in Liveness.Read(i).Intersect(pending)) Check(register, writes: false);
        foreach (Register register in Liveness.Written(i).Intersect(pending)) Check(register, writes: true);

        void Check(Register register, bool writes)
        {
            PushWorkerAndFrame();
            _il.Emit(OpCodes.Ldc_I4, register.Offset);
            _il.Emit(writes ? OpCodes.Ldc_I4_1 : OpCodes.Ldc_I4_0);
            Finish(i, nameof(Worker.TouchInFlight));
        }
    }
}
