using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels;
using Gradpath.Native.Calls;
using Gradpath.Native.Handles;
using Gradpath.Native.Objects;
using Gradpath.Native.Options;

namespace Gradpath.Native.Exports;

/// <summary>The functions of gradpath.h about devices, models and vocabularies.</summary>
internal static unsafe class ModelExports
{
    [UnmanagedCallersOnly(EntryPoint = "gradpath_device_open", CallConvs = [typeof(CallConvCdecl)])]
    private static int OpenDevice(byte* name, nuint nameLength, byte* options, nuint optionsLength, nint* device) => Call.Run(() =>
    {
        Output.Require(device, "device");
        *device = 0;
        string given = Utf8Text.Required(name, nameLength, "name").ToLowerInvariant();
        Func<Device> open = OptionObject.Read(Utf8Text.Bytes(options, optionsLength, "options"), o => DeviceReader.Read(given, o));
        *device = Keep(new DeviceObject(open()));
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_model_open", CallConvs = [typeof(CallConvCdecl)])]
    private static int OpenModel(nint device, byte* path, nuint pathLength, RunArguments* run, nint* model) => Call.Run(() =>
    {
        Output.Require(model, "model");
        *model = 0;
        using RunScope scope = new(run, null);
        using HandleUse<DeviceObject> on = HandleTable.Use<DeviceObject>(device, HandleKind.Device, "device");
        string given = Utf8Text.Required(path, pathLength, "path");
        string directory = ModelLocator.Resolve(given);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(directory);
        checkpoint.ComputeHash(scope.Cancellation);
        Gpt2Weights weights = checkpoint.LoadWeights(on.Value.Device.Value, Directory.Exists(given) ? null : given, scope.Cancellation);
        Lazy<BpeTokenizer>? tokenizer = BpeTokenizer.HasVocabulary(directory) ? new(() => BpeTokenizer.Load(directory)) : null;
        *model = Keep(new ModelObject(on.Value.Device.Join(), weights, tokenizer, checkpoint.Warnings));
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_model_from_weights", CallConvs = [typeof(CallConvCdecl)])]
    private static int ModelFromWeights(
        nint device, byte* config, nuint configLength, TensorArgument* tensors, nuint count, byte* name, nuint nameLength, nint tokenizer,
        nint* model) =>
        Call.Run(() =>
        {
            Output.Require(model, "model");
            *model = 0;
            using HandleUse<DeviceObject> on = HandleTable.Use<DeviceObject>(device, HandleKind.Device, "device");
            string shape = Utf8Text.Required(config, configLength, "config");
            Gpt2Config parsed = Gpt2ConfigFile.Parse("config", Encoding.UTF8.GetBytes(shape));
            string called = name is null && nameLength == 0 ? "unnamed" : Utf8Text.Required(name, nameLength, "name");
            Dictionary<string, ReadOnlyMemory<float>> given = TensorArgument.Read(Utf8Text.Array(tensors, count, "tensors"), parsed);
            Lazy<BpeTokenizer>? vocabulary = null;
            if (tokenizer != 0)
            {
                using HandleUse<TokenizerObject> use = HandleTable.Use<TokenizerObject>(tokenizer, HandleKind.Tokenizer, "tokenizer");
                vocabulary = new(use.Value.Tokenizer);
            }
            Gpt2Weights weights = Gpt2Weights.FromMemory(on.Value.Device.Value, parsed, given, called);
            *model = Keep(new ModelObject(on.Value.Device.Join(), weights, vocabulary, []));
        });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_tokenizer_open", CallConvs = [typeof(CallConvCdecl)])]
    private static int OpenTokenizer(byte* path, nuint pathLength, nint* tokenizer) => Call.Run(() =>
    {
        Output.Require(tokenizer, "tokenizer");
        *tokenizer = 0;
        string directory = ModelLocator.Resolve(Utf8Text.Required(path, pathLength, "path"));
        *tokenizer = Keep(new TokenizerObject(BpeTokenizer.Load(directory)));
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_tokenizer_encode", CallConvs = [typeof(CallConvCdecl)])]
    private static int Encode(nint tokenizer, byte* text, nuint textLength, int* ids, nuint capacity, nuint* count) => Call.Run(() =>
    {
        using HandleUse<TokenizerObject> use = HandleTable.Use<TokenizerObject>(tokenizer, HandleKind.Tokenizer, "tokenizer");
        string given = Utf8Text.Decode(Utf8Text.Bytes(text, textLength, "text"), "text");
        Output.Write<int>(use.Value.Tokenizer.Encode(given), ids, capacity, count, "ids");
    });

    [UnmanagedCallersOnly(EntryPoint = "gradpath_tokenizer_decode", CallConvs = [typeof(CallConvCdecl)])]
    private static int Decode(nint tokenizer, int* ids, nuint count, byte* buffer, nuint capacity, nuint* length) => Call.Run(() =>
    {
        using HandleUse<TokenizerObject> use = HandleTable.Use<TokenizerObject>(tokenizer, HandleKind.Tokenizer, "tokenizer");
        ReadOnlySpan<int> given = Utf8Text.Array(ids, count, "ids");
        foreach (int id in given)
        {
            if (id < 0 || id >= use.Value.Tokenizer.VocabularySize)
                throw CallException.Argument($"ids holds {id}; the vocabulary has ids from 0 to {use.Value.Tokenizer.VocabularySize - 1}");
        }
        Output.Write(use.Value.Tokenizer.Decode(given), buffer, capacity, length);
    });

    /// <summary>Gives an object a handle; disposes of it where there is no room for one.</summary>
    /// <param name="value">The object.</param>
    public static nint Keep(IHandled value)
    {
        try
        {
            return HandleTable.Open(value);
        }
        catch
        {
            value.Dispose();
            throw;
        }
    }
}
