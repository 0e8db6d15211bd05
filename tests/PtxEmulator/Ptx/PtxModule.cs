namespace Gradpath.PtxEmulator.Ptx;

/// <summary>State spaces that variables live in.</summary>
internal enum Space
{
    Generic,
    Global,
    Shared,
    Local,
    Const,
    Param,
}

/// <summary>A variable of a module, a kernel or a parameter.</summary>
internal sealed class PtxVariable(string name, Space space, int align, int bytes, bool dynamic, byte[]? content, int line)
{
    public string Name { get; } = name;

    public Space Space { get; } = space;

    public int Align { get; } = align;

    public int Bytes { get; } = bytes;

    /// <summary>Shared memory whose size the launch decides.</summary>
    public bool Dynamic { get; } = dynamic;

    /// <summary>Initial content; null where there is none.</summary>
    public byte[]? Content { get; } = content;

    public int Line { get; } = line;

    /// <summary>Distance from the start of the module's variables; those of a kernel are placed by its layout.</summary>
    public int Offset { get; set; }
}

/// <summary>One instruction.</summary>
internal sealed class Instruction(
    string text, RegisterOperand? guard, string[] parts, Operand[] operands, Scope scope, int line, string? source)
{
    /// <summary>The whole opcode.</summary>
    public string Text { get; } = text;

    /// <summary>The predicate it runs under.</summary>
    public RegisterOperand? Guard { get; } = guard;

    /// <summary>The opcode split at its dots.</summary>
    public string[] Parts { get; } = parts;

    public Operand[] Operands { get; } = operands;

    public Scope Scope { get; } = scope;

    /// <summary>Line of the PTX, from 1.</summary>
    public int Line { get; } = line;

    /// <summary>File and line of the source, where the PTX tells.</summary>
    public string? Source { get; } = source;

    public string Op => Parts[0];

    public bool Has(string modifier) => Array.IndexOf(Parts, modifier, 1) >= 1;

    /// <summary>The last type among the modifiers.</summary>
    public PtxType Type
    {
        get
        {
            for (int i = Parts.Length - 1; i >= 1; i--)
            {
                PtxType type = PtxTypes.Parse(Parts[i]);
                if (type != PtxType.None) return type;
            }
            throw new PtxException(Line, $"'{Text}' names no type");
        }
    }

    /// <summary>All types among the modifiers, in order.</summary>
    public PtxType[] Types => [.. Parts.Skip(1).Select(PtxTypes.Parse).Where(t => t != PtxType.None)];
}

/// <summary>An entry point.</summary>
internal sealed class PtxKernel(string name, Scope scope, int line)
{
    public string Name { get; } = name;

    public Scope Scope { get; } = scope;

    public int Line { get; } = line;

    public List<PtxVariable> Parameters { get; } = [];

    public List<Instruction> Instructions { get; } = [];

    public List<Register> Registers { get; } = [];

    public List<PtxVariable> Locals { get; } = [];

    /// <summary>Most threads that the code was compiled for; 1024 where it does not say.</summary>
    public int MaxThreads { get; set; } = 1024;

    /// <summary>Whether the code says for how many threads it is compiled, which a compiler fits the registers to.</summary>
    public bool HasBounds { get; set; }

    /// <summary>Blocks that a multiprocessor is to hold at once, by the code's bounds.</summary>
    public int MinBlocks { get; set; } = 1;

    /// <summary>Most registers of a thread that the code allows; 0 where it does not say.</summary>
    public int MaxRegisters { get; set; }
}

/// <summary>A PTX file.</summary>
internal sealed class PtxModule
{
    public Scope Scope { get; } = new(null);

    /// <summary>The GPU that the file is for, such as sm_80.</summary>
    public string Target { get; set; } = "";

    public int TargetLine { get; set; }

    public List<PtxKernel> Kernels { get; } = [];

    /// <summary>Variables in global and constant memory, placed one after another.</summary>
    public List<PtxVariable> Variables { get; } = [];

    public int VariableBytes { get; set; }
}

/// <summary>PTX that cannot be read or run.</summary>
internal sealed class PtxException(int line, string message) : Exception($"line {line}: {message}")
{
    public int Line { get; } = line;
}
