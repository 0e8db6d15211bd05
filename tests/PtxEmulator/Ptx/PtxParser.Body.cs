using System.Globalization;

namespace Gradpath.PtxEmulator.Ptx;

/// <summary>The statements of an entry point.</summary>
internal sealed partial class PtxParser
{
    private void Body(PtxKernel kernel, Scope scope)
    {
        Expect("{");
        while (!TryTake("}"))
        {
            string word = Text;
            if (word == "{") Body(kernel, new Scope(scope));
            else if (word == ".reg") Registers(kernel, scope);
            else if (word is ".shared" or ".local" or ".param" or ".global" or ".const") Variable(scope, kernel);
            else if (word == ".loc") Location();
            else if (word == ".pragma") SkipStatement();
            else if (_at + 1 < _tokens.Count && _tokens[_at + 1].Text == ":")
            {
                _at += 2;
                if (Text == ".branchtargets") scope.Targets.Add(word, BranchTargets(scope));
                else scope.Labels.Add(word, kernel.Instructions.Count);
            }
            else if (word == ";") _at++;
            else if (word.StartsWith('.')) throw new PtxException(Line, $"'{word}' is not a directive that the emulator knows");
            else kernel.Instructions.Add(Statement(scope));
        }
    }

    private void SkipStatement()
    {
        while (Take().Text != ";")
        {
        }
    }

    private Operand[] BranchTargets(Scope scope)
    {
        _at++;
        var targets = new List<Operand>();
        do targets.Add(Value(scope)); while (TryTake(","));
        Expect(";");
        return [.. targets];
    }

    private void Location()
    {
        int line = Line;
        _at++;
        string file = Take().Text;
        _source = $"{_files.GetValueOrDefault(file, "source")}:{Take().Text}";
        while (_at < _tokens.Count && _tokens[_at].Line == line) _at++;
    }

    /// <summary>.reg .type name&lt;count&gt;, name, ...;</summary>
    private void Registers(PtxKernel kernel, Scope scope)
    {
        _at++;
        Token typeName = Take();
        PtxType type = PtxTypes.Parse(typeName.Text.TrimStart('.'));
        if (type == PtxType.None) throw new PtxException(typeName.Line, $"registers of type '{typeName.Text}' are not emulated");
        do
        {
            string name = Take().Text;
            if (TryTake("<"))
            {
                long count = Integer();
                Expect(">");
                for (long i = 0; i < count; i++) Declare(string.Create(CultureInfo.InvariantCulture, $"{name}{i}"));
            }
            else
            {
                Declare(name);
            }
        }
        while (TryTake(","));
        Expect(";");

        void Declare(string name)
        {
            var register = new Register(name, type);
            scope.Registers[name] = register;
            kernel.Registers.Add(register);
        }
    }

    private Instruction Statement(Scope scope)
    {
        RegisterOperand? guard = null;
        if (TryTake("@"))
        {
            bool not = TryTake("!");
            Token name = Take();
            Register register = scope.FindRegister(name.Text)
                ?? throw new PtxException(name.Line, $"the register '{name.Text}' is not declared");
            guard = new RegisterOperand(register, not);
        }
        Token op = Take();
        var operands = new List<Operand>();
        while (!TryTake(";"))
        {
            operands.Add(Value(scope));
            if (Text != ";") Expect(",");
        }
        return new Instruction(
            op.Text, guard, op.Text.Split('.', StringSplitOptions.RemoveEmptyEntries), [.. operands], scope, op.Line, _source);
    }

    private Operand Value(Scope scope)
    {
        if (TryTake("{"))
        {
            var elements = new List<Operand>();
            do elements.Add(Value(scope)); while (TryTake(","));
            Expect("}");
            return new VectorOperand([.. elements]);
        }
        if (TryTake("["))
        {
            Operand start = Value(scope);
            long offset = Offset();
            Expect("]");
            return start is SymbolOperand symbol
                ? new AddressOperand(symbol with { Offset = 0 }, symbol.Offset + offset)
                : new AddressOperand(start, offset);
        }
        if (TryTake("!"))
        {
            var positive = (RegisterOperand)Value(scope);
            return positive with { Not = !positive.Not };
        }
        if (TryTake("("))
        {
            throw new PtxException(Line, "calls are not emulated: kernels must be one function after inlining");
        }
        if (Text == "-" || (Text.Length > 0 && char.IsAsciiDigit(Text[0]))) return Constant();
        Token name = Take();
        Operand operand = Named(name, scope);
        if (TryTake("|")) return new PairOperand(operand, Value(scope));
        return operand;
    }

    private Operand Named(Token name, Scope scope)
    {
        if (name.Text == "_") return new SinkOperand();
        if (scope.FindRegister(name.Text) is { } register) return new RegisterOperand(register);
        if (name.Text == "WARP_SZ") return new ImmediateOperand(32, PtxType.B64);
        if (name.Text.StartsWith('%'))
        {
            // Lanes of a vector register, such as %v.x, do not occur in compiled code: the rest are special registers.
            return new SpecialOperand(name.Text);
        }
        return new SymbolOperand(name.Text, Offset(), scope);
    }

    private long Offset()
    {
        long offset = 0;
        while (true)
        {
            if (TryTake("+")) offset += Integer();
            else if (Text == "-") offset += Integer();
            else return offset;
        }
    }

    private ImmediateOperand Constant()
    {
        bool negative = TryTake("-");
        Token token = Take();
        string text = token.Text;
        if (text.Length == 10 && text.StartsWith("0f", StringComparison.OrdinalIgnoreCase))
        {
            uint bits = uint.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return new ImmediateOperand(negative ? bits ^ 0x80000000 : bits, PtxType.F32);
        }
        if (text.Length == 18 && text.StartsWith("0d", StringComparison.OrdinalIgnoreCase))
        {
            ulong bits = ulong.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            return new ImmediateOperand(negative ? bits ^ (1UL << 63) : bits, PtxType.F64);
        }
        if (TryInteger(text, out ulong value)) return new ImmediateOperand(negative ? (ulong)-(long)value : value, PtxType.B64);
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
        {
            return new ImmediateOperand(BitConverter.DoubleToUInt64Bits(negative ? -number : number), PtxType.F64);
        }
        throw new PtxException(token.Line, $"'{text}' is not a constant");
    }
}
