using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>
/// Makes a product and a sum behind it into one operation that rounds once, as an assembler may where neither says how it rounds: mul.f32
/// and add.f32 may be contracted, mul.rn.f32 and add.rn.f32 may not. The compiler that made the PTX has done so with products of one user
/// already; here every sum takes part, so that a product of several users is rounded for some of them and not for others.
/// </summary>
internal static class Contraction
{
    /// <summary>Name of the operation that takes the sum's place; its second part says which sum it was.</summary>
    public const string Op = "contracted";

    /// <summary>Contracts what may be within each run of instructions. The products stay for their other users.</summary>
    /// <param name="kernel">The kernel, whose instructions are changed.</param>
    /// <returns>How many sums were changed.</returns>
    public static int Apply(PtxKernel kernel)
    {
        HashSet<int> leaders = [.. kernel.Instructions.SelectMany(ControlFlow.Targets)];
        var products = new Dictionary<Register, Instruction>();
        int changed = 0;
        for (int i = 0; i < kernel.Instructions.Count; i++)
        {
            if (leaders.Contains(i)) products.Clear();
            Instruction instruction = kernel.Instructions[i];
            if (Contracted(instruction, products) is { } contracted)
            {
                kernel.Instructions[i] = contracted;
                changed++;
            }
            foreach (Register written in Liveness.Written(instruction).ToArray()) Forget(products, written);
            if (IsFree(instruction, "mul") && instruction.Operands[0] is RegisterOperand { Register: var target }
                && !Liveness.Read(instruction).Contains(target))
            {
                products[target] = instruction;
            }
            if (ControlFlow.Ends(instruction)) products.Clear();
        }
        return changed;
    }

    private static Instruction? Contracted(Instruction sum, Dictionary<Register, Instruction> products)
    {
        if (!IsFree(sum, "add") && !IsFree(sum, "sub")) return null;
        for (int side = 2; side >= 1; side--)
        {
            if (sum.Operands[side] is not RegisterOperand { Register: var register }) continue;
            if (!products.TryGetValue(register, out Instruction? product) || product.Type != sum.Type) continue;
            if (product.Has("ftz") != sum.Has("ftz")) continue;
            string kind = sum.Op == "add" ? "add" : side == 1 ? "minus" : "from";
            return new Instruction(
                sum.Text, null, [Op, kind, .. sum.Parts[1..]],
                [sum.Operands[0], product.Operands[1], product.Operands[2], sum.Operands[3 - side]], sum.Scope, sum.Line, sum.Source);
        }
        return null;
    }

    // Of f32 or f64, under no predicate, with no rounding of its own.
    private static bool IsFree(Instruction i, string op) =>
        i.Op == op && i.Guard is null && i.Type is (PtxType.F32 or PtxType.F64)
            && !i.Has("rn") && !i.Has("rz") && !i.Has("rm") && !i.Has("rp") && (op != "mul" || !i.Has("sat"));

    private static void Forget(Dictionary<Register, Instruction> products, Register written)
    {
        products.Remove(written);
        foreach (Register stale in products.Where(p => Liveness.Read(p.Value).Contains(written)).Select(p => p.Key).ToArray())
            products.Remove(stale);
    }
}
