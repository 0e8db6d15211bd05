using Gradpath.PtxEmulator.Ptx;

namespace Gradpath.PtxEmulator.Compile;

/// <summary>Where instructions lead.</summary>
internal static class ControlFlow
{
    /// <summary>Whether what follows may begin a new run of instructions.</summary>
    public static bool Ends(Instruction instruction) => instruction.Op is "bra" or "brx" or "ret" or "exit" or "trap";

    /// <summary>Whether the next instruction is never run after this one.</summary>
    public static bool NeverFallsThrough(Instruction instruction) =>
        instruction.Guard is null && Ends(instruction);

    /// <summary>Indices of the instructions that a branch names.</summary>
    public static IEnumerable<int> Targets(Instruction instruction)
    {
        if (instruction.Op == "bra") yield return Target(instruction, instruction.Operands[0]);
        if (instruction.Op != "brx") yield break;
        var list = (SymbolOperand)instruction.Operands[1];
        Operand[] targets = instruction.Scope.FindTargets(list.Name)
            ?? throw new PtxException(instruction.Line, $"the list of targets '{list.Name}' is missing");
        foreach (Operand target in targets) yield return Target(instruction, target);
    }

    private static int Target(Instruction instruction, Operand operand)
    {
        var label = operand as SymbolOperand ?? throw new PtxException(instruction.Line, "a branch needs a label");
        return instruction.Scope.FindLabel(label.Name) ?? throw new PtxException(instruction.Line, $"the label '{label.Name}' is missing");
    }
}
