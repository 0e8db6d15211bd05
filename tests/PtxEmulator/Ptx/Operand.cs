namespace Gradpath.PtxEmulator.Ptx;

/// <summary>A register as declared; <see cref="Offset"/> is where a thread's frame holds it.</summary>
internal sealed class Register(string name, PtxType type)
{
    public string Name { get; } = name;

    public PtxType Type { get; } = type;

    public int Offset { get; set; } = -1;
}

/// <summary>Something an instruction names.</summary>
internal abstract record Operand;

/// <summary>A register; a predicate may be negated.</summary>
internal sealed record RegisterOperand(Register Register, bool Not = false) : Operand;

/// <summary>A constant. Floats are held as their bits.</summary>
internal sealed record ImmediateOperand(ulong Bits, PtxType Type) : Operand;

/// <summary>A variable's address, a parameter or a label.</summary>
internal sealed record SymbolOperand(string Name, long Offset, Scope Scope) : Operand;

/// <summary>A special register such as %tid.x.</summary>
internal sealed record SpecialOperand(string Name) : Operand;

/// <summary>What brackets hold: register, symbol or constant plus an offset.</summary>
internal sealed record AddressOperand(Operand Base, long Offset) : Operand;

/// <summary>Elements in braces.</summary>
internal sealed record VectorOperand(Operand[] Elements) : Operand;

/// <summary>Two destinations, d|p.</summary>
internal sealed record PairOperand(Operand First, Operand Second) : Operand;

/// <summary>The destination that nobody reads.</summary>
internal sealed record SinkOperand : Operand;

/// <summary>The names between two braces and those around them.</summary>
internal sealed class Scope(Scope? parent)
{
    public Dictionary<string, Register> Registers { get; } = [];

    public Dictionary<string, int> Labels { get; } = [];

    public Dictionary<string, PtxVariable> Variables { get; } = [];

    public Dictionary<string, Operand[]> Targets { get; } = [];

    public Register? FindRegister(string name)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope.Registers.TryGetValue(name, out Register? found)) return found;
        }
        return null;
    }

    public int? FindLabel(string name)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope.Labels.TryGetValue(name, out int found)) return found;
        }
        return null;
    }

    public PtxVariable? FindVariable(string name)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope.Variables.TryGetValue(name, out PtxVariable? found)) return found;
        }
        return null;
    }

    public Operand[]? FindTargets(string name)
    {
        for (Scope? scope = this; scope is not null; scope = scope.Parent)
        {
            if (scope.Targets.TryGetValue(name, out Operand[]? found)) return found;
        }
        return null;
    }

    public Scope? Parent { get; } = parent;
}
