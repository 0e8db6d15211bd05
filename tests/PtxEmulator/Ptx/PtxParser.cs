using System.Globalization;

namespace Gradpath.PtxEmulator.Ptx;

/// <summary>Reads a PTX file: variables, entry points and their instructions.</summary>
internal sealed partial class PtxParser
{
    private readonly List<Token> _tokens;
    private readonly PtxModule _module = new();
    private readonly Dictionary<string, string> _files = [];
    private int _at;
    private string? _source;

    private PtxParser(string text) => _tokens = PtxLexer.Read(text);

    /// <exception cref="PtxException">The text is not the PTX that the emulator knows.</exception>
    public static PtxModule Parse(string text) => new PtxParser(text).Module();

    private Token Current => _at < _tokens.Count ? _tokens[_at] : new("", _tokens.Count == 0 ? 1 : _tokens[^1].Line);

    private string Text => Current.Text;

    private int Line => Current.Line;

    private Token Take() => _at < _tokens.Count ? _tokens[_at++] : throw new PtxException(Line, "the text ends too early");

    private bool TryTake(string text)
    {
        if (Text != text || Current.IsString) return false;
        _at++;
        return true;
    }

    private void Expect(string text)
    {
        if (!TryTake(text)) throw new PtxException(Line, $"'{text}' expected, '{Text}' found");
    }

    private PtxModule Module()
    {
        while (_at < _tokens.Count)
        {
            string word = Text;
            if (word is ".visible" or ".weak" or ".extern" or ".common") _at++;
            else if (word == ".target") Target();
            else if (word is ".version" or ".address_size") SkipLine();
            else if (word == ".file") File();
            else if (word == ".entry") Kernel();
            else if (word is ".global" or ".const" or ".shared") Variable(_module.Scope, kernel: null);
            else if (word == ".func")
                throw new PtxException(Line, "functions are not emulated: kernels must be one function after inlining");
            else if (word == ".section") break;
            else throw new PtxException(Line, $"'{word}' is not a directive that the emulator knows");
        }
        return _module;
    }

    // Only the GPU counts: options such as debug may follow it.
    private void Target()
    {
        _module.TargetLine = Line;
        _at++;
        _module.Target = Text;
        SkipLine();
    }

    private void SkipLine()
    {
        int line = Line;
        while (_at < _tokens.Count && _tokens[_at].Line == line) _at++;
    }

    private void File()
    {
        int line = Line;
        _at++;
        string index = Take().Text;
        _files[index] = Path.GetFileName(Take().Text);
        while (_at < _tokens.Count && _tokens[_at].Line == line) _at++;
    }

    private void Kernel()
    {
        int line = Take().Line;
        string name = Take().Text;
        var kernel = new PtxKernel(name, new Scope(_module.Scope), line);
        if (TryTake("("))
        {
            int offset = 0;
            while (!TryTake(")"))
            {
                PtxVariable parameter = Parameter();
                offset = (offset + parameter.Align - 1) / parameter.Align * parameter.Align;
                parameter.Offset = offset;
                offset += parameter.Bytes;
                kernel.Parameters.Add(parameter);
                kernel.Scope.Variables.Add(parameter.Name, parameter);
                TryTake(",");
            }
        }
        while (Text != "{")
        {
            string directive = Take().Text;
            if (directive is not (".maxntid" or ".reqntid" or ".minnctapersm" or ".maxnreg" or ".maxnctapersm"))
            {
                throw new PtxException(Line, $"'{directive}' is not a directive that the emulator knows");
            }
            long product = 1;
            do product *= Integer(); while (TryTake(","));
            if (directive is ".maxntid" or ".reqntid") (kernel.MaxThreads, kernel.HasBounds) = ((int)product, true);
            else if (directive == ".minnctapersm") kernel.MinBlocks = (int)product;
            else if (directive == ".maxnreg") kernel.MaxRegisters = (int)product;
        }
        _source = null;
        Body(kernel, kernel.Scope);
        _module.Kernels.Add(kernel);
    }

    private PtxVariable Parameter()
    {
        Expect(".param");
        return Declarator(Space.Param);
    }

    /// <summary>[.align n] .type name[count] [= initial]</summary>
    private PtxVariable Declarator(Space space)
    {
        int line = Line, align = 0, elements = 1;
        bool isDynamic = false;
        PtxType type = PtxType.None;
        while (Text.StartsWith('.'))
        {
            string word = Take().Text;
            if (word == ".align") align = (int)Integer();
            else if (word is ".v2") elements = 2;
            else if (word is ".v4") elements = 4;
            else if (word is ".ptr" or ".global" or ".shared" or ".const" or ".local") continue;
            else if ((type = PtxTypes.Parse(word[1..])) == PtxType.None) throw new PtxException(line, $"'{word}' is not a type");
        }
        string name = Take().Text;
        long count = elements;
        while (TryTake("["))
        {
            if (Text == "]") isDynamic = true;
            else count *= Integer();
            Expect("]");
        }
        byte[]? content = null;
        int bytes = checked((int)(count * type.Bytes()));
        if (isDynamic) bytes = 0;
        if (TryTake("=")) content = Initial(type, ref bytes);
        return new PtxVariable(name, space, Math.Max(align, type.Bytes() * elements), bytes, isDynamic, content, line);
    }

    private byte[] Initial(PtxType type, ref int bytes)
    {
        var content = new List<byte>();
        void Element()
        {
            if (TryTake("{"))
            {
                while (!TryTake("}"))
                {
                    Element();
                    TryTake(",");
                }
                return;
            }
            ImmediateOperand value = Constant();
            content.AddRange(BitConverter.GetBytes(value.Bits)[..type.Bytes()]);
        }
        Element();
        bytes = Math.Max(bytes, content.Count);
        while (content.Count < bytes) content.Add(0);
        return [.. content];
    }

    private void Variable(Scope scope, PtxKernel? kernel)
    {
        Space space = Take().Text switch
        {
            ".global" => Space.Global,
            ".const" => Space.Const,
            ".shared" => Space.Shared,
            ".local" => Space.Local,
            _ => Space.Param,
        };
        PtxVariable variable = Declarator(space);
        Expect(";");
        scope.Variables[variable.Name] = variable;
        if (space is Space.Global or Space.Const)
        {
            int start = (_module.VariableBytes + variable.Align - 1) / variable.Align * variable.Align;
            variable.Offset = start;
            _module.VariableBytes = start + variable.Bytes;
            _module.Variables.Add(variable);
        }
        else if (space == Space.Local) kernel!.Locals.Add(variable);
        else if (space == Space.Param)
            throw new PtxException(variable.Line, "calls are not emulated: kernels must be one function after inlining");
    }

    private long Integer()
    {
        bool negative = TryTake("-");
        Token token = Take();
        if (!TryInteger(token.Text, out ulong value)) throw new PtxException(token.Line, $"'{token.Text}' is not a whole number");
        return negative ? -(long)value : (long)value;
    }

    private static bool TryInteger(string text, out ulong value)
    {
        value = 0;
        if (text.Length == 0 || !char.IsAsciiDigit(text[0])) return false;
        string digits = text.EndsWith('U') ? text[..^1] : text;
        if (digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            return ulong.TryParse(digits.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out value);
        if (digits.StartsWith("0b", StringComparison.OrdinalIgnoreCase))
            return ulong.TryParse(digits.AsSpan(2), NumberStyles.BinaryNumber, CultureInfo.InvariantCulture, out value);
        if (digits.Length > 1 && digits[0] == '0' && digits.All(char.IsAsciiDigit))
        {
            value = Convert.ToUInt64(digits, 8);
            return true;
        }
        return ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
    }
}
