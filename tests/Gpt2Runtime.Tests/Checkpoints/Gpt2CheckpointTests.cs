using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Checkpoints;

/// <summary>Sound checkpoints of every kind that the loader accepts, and what it says about unsound ones.</summary>
public sealed class Gpt2CheckpointTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly CpuDevice _device = new(1);

    public void Dispose()
    {
        _device.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("F32", "transformer.", true)]
    [InlineData("F32", "", true)]
    [InlineData("F32", "transformer.", false)]
    [InlineData("F16", "transformer.", true)]
    [InlineData("F16", "", false)]
    [InlineData("BF16", "transformer.", true)]
    [InlineData("BF16", "", false)]
    [InlineData("F64", "", true)]
    [InlineData("F64", "transformer.", false)]
    public void Every_type_prefix_and_alignment_gives_the_same_weights(string dtype, string prefix, bool aligned)
    {
        Put("config.json", CheckpointBuilder.ConfigJson());
        Put("model.safetensors", CheckpointBuilder.File(CheckpointBuilder.Tensors(CheckpointBuilder.Config, dtype, prefix), aligned));
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        Assert.Equal(CheckpointBuilder.Config, checkpoint.Config);
        Assert.Equal(dtype, checkpoint.Dtype);
        using Gpt2Weights weights = checkpoint.LoadWeights(_device);
        CheckValues(weights);
        Assert.Same(weights.TokenEmbedding, weights.Unembedding);
        Assert.Equal(checkpoint.ParameterCount * 4, _device.AllocatedBytes);
    }

    [Fact]
    public void Memory_is_given_back_with_the_weights()
    {
        Put("config.json", CheckpointBuilder.ConfigJson("\"tie_word_embeddings\": false"));
        Put("model.safetensors", CheckpointBuilder
            .File(CheckpointBuilder.Tensors(CheckpointBuilder.Config with { TiedHead = false }, "F16", headBias: true)));
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        checkpoint.LoadWeights(_device).Dispose();
        Assert.Equal(0, _device.AllocatedBytes);
    }

    [Fact]
    public void Weights_outlive_the_checkpoint_and_each_other()
    {
        PutModel();
        Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        Gpt2Weights first = checkpoint.LoadWeights(_device);
        Gpt2Weights second = checkpoint.LoadWeights(_device);
        checkpoint.Dispose();
        checkpoint.Dispose();
        first.Dispose();
        first.Dispose();
        CheckValues(second);
        second.Dispose();
        Assert.Throws<ObjectDisposedException>(() => checkpoint.LoadWeights(_device));
    }

    [Fact]
    public void An_untied_head_is_taken()
    {
        Put("model.safetensors", CheckpointBuilder.File(CheckpointBuilder.Tensors(CheckpointBuilder.Config with { TiedHead = false })));
        Put("config.json", CheckpointBuilder.ConfigJson("\"tie_word_embeddings\": false"));
        using Gpt2Checkpoint untied = Gpt2Checkpoint.Open(_folder.Path);
        using Gpt2Weights weights = untied.LoadWeights(_device);
        CheckTensor(weights.Unembedding, "lm_head.weight", 5, 4);
        Assert.Empty(untied.Warnings);
    }

    [Fact]
    public void An_unembedding_bias_is_taken()
    {
        Put("config.json", CheckpointBuilder.ConfigJson());
        Put("model.safetensors", CheckpointBuilder.File(CheckpointBuilder.Tensors(CheckpointBuilder.Config, headBias: true)));
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        using Gpt2Weights weights = checkpoint.LoadWeights(_device);
        CheckTensor(weights.UnembeddingBias!, "lm_head.bias", 5);
    }

    [Fact]
    public void Masks_and_unknown_tensors_are_ignored_whatever_their_type()
    {
        Put("config.json", CheckpointBuilder.ConfigJson());
        var tensors = CheckpointBuilder.Tensors(CheckpointBuilder.Config);
        tensors.AddRange([("transformer.h.0.attn.bias", "BOOL", [1, 1, 4, 4]), ("transformer.h.0.attn.masked_bias", "F32", []),
            ("score.weight", "I32", [2, 2])]);
        Put("model.safetensors", CheckpointBuilder.File(tensors));
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        using Gpt2Weights weights = checkpoint.LoadWeights(_device);
        CheckValues(weights);
        Assert.Equal("F32", checkpoint.Dtype);
    }

    [Fact]
    public void Shards_are_read_through_their_index()
    {
        Put("config.json", CheckpointBuilder.ConfigJson());
        PutShards(static name => name.Contains("h.1.", StringComparison.Ordinal) ? "model-00002-of-00002.safetensors"
            : "model-00001-of-00002.safetensors");
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        using Gpt2Weights weights = checkpoint.LoadWeights(_device);
        CheckValues(weights);
    }

    [Theory]
    [InlineData("missing", "lists the shard gone.safetensors, which is not in the directory")]
    [InlineData("../model.safetensors", "the name of a file in the same directory is expected")]
    [InlineData("..", "the name of a file in the same directory is expected")]
    public void An_index_that_points_elsewhere_is_refused(string shard, string message)
    {
        Put("config.json", CheckpointBuilder.ConfigJson());
        PutShards(_ => "model-1.safetensors");
        string index = File.ReadAllText(_folder["model.safetensors.index.json"]);
        Put("model.safetensors.index.json", index.Replace("model-1.safetensors", shard == "missing" ? "gone.safetensors" : shard,
            StringComparison.Ordinal));
        Refused(message);
    }

    [Fact]
    public void An_index_that_names_a_tensor_that_its_shard_lacks_is_refused()
    {
        Put("config.json", CheckpointBuilder.ConfigJson());
        PutShards(_ => "model-1.safetensors");
        string index = File.ReadAllText(_folder["model.safetensors.index.json"]);
        Put("model.safetensors.index.json", index.Replace("wpe.weight", "wqe.weight", StringComparison.Ordinal));
        Refused("places tensor 'transformer.wqe.weight' in model-1.safetensors, which does not hold it");
    }

    [Theory]
    [InlineData("[]", "has no weight_map")]
    [InlineData("{\"weight_map\": 3}", "has no weight_map")]
    [InlineData("{\"weight_map\": {\"a\": 3}}", "places tensor 'a' in 3")]
    [InlineData("{\"weight_map\"", "line 1: not valid JSON")]
    public void A_malformed_index_is_refused(string index, string message)
    {
        Put("config.json", CheckpointBuilder.ConfigJson());
        Put("model.safetensors.index.json", index);
        Refused(message);
    }

    [Theory]
    [InlineData("\"n_inner\": null", 16)]
    [InlineData("\"n_inner\": \"DELETE\"", 16)]
    [InlineData("\"n_inner\": 6", 6)]
    public void The_inner_width_is_four_times_the_width_unless_stated(string change, int expected)
    {
        Put("config.json", CheckpointBuilder.ConfigJson(change));
        Assert.Equal(expected, Gpt2ConfigFile.Read(_folder["config.json"]).InnerWidth);
    }

    [Theory]
    [InlineData("gelu_new", Gpt2Activation.GeluNew)]
    [InlineData("gelu_pytorch_tanh", Gpt2Activation.GeluNew)]
    [InlineData("gelu_python_tanh", Gpt2Activation.GeluNew)]
    [InlineData("gelu_fast", Gpt2Activation.GeluNew)]
    [InlineData("gelu_accurate", Gpt2Activation.GeluNew)]
    [InlineData("gelu", Gpt2Activation.Gelu)]
    [InlineData("gelu_python", Gpt2Activation.Gelu)]
    [InlineData("quick_gelu", Gpt2Activation.QuickGelu)]
    [InlineData("silu", Gpt2Activation.Silu)]
    [InlineData("swish", Gpt2Activation.Silu)]
    [InlineData("relu", Gpt2Activation.Relu)]
    [InlineData("tanh", Gpt2Activation.Tanh)]
    public void Activations_go_by_the_names_of_the_transformers_library(string name, Gpt2Activation expected)
    {
        Put("config.json", CheckpointBuilder.ConfigJson($"\"activation_function\": \"{name}\""));
        Assert.Equal(expected, Gpt2ConfigFile.Read(_folder["config.json"]).Activation);
    }

    [Fact]
    public void Every_config_field_is_read()
    {
        Put("config.json", CheckpointBuilder
            .ConfigJson("\"n_positions\": \"DELETE\", \"n_ctx\": 9, \"layer_norm_epsilon\": 0.001, \"scale_attn_weights\": false, "
            + "\"scale_attn_by_inverse_layer_idx\": true, \"model_type\": \"DELETE\", \"tie_word_embeddings\": false"));
        Gpt2Config expected = CheckpointBuilder.Config with
        {
            Positions = 9,
            Epsilon = 0.001f,
            ScaleAttention = false,
            ScaleAttentionByLayer = true,
            TiedHead = false
        };
        Assert.Equal(expected, Gpt2ConfigFile.Read(_folder["config.json"]));
    }

    [Theory]
    [InlineData("\"n_head\": 3", "n_embd 4 is not a multiple of n_head 3")]
    [InlineData("\"n_head\": 0", "n_head is 0; a whole number from 1")]
    [InlineData("\"n_layer\": -1", "n_layer is -1")]
    [InlineData("\"n_embd\": 4.5", "n_embd is 4.5")]
    [InlineData("\"n_embd\": 2000000000", "n_embd is 2000000000")]
    [InlineData("\"vocab_size\": \"5\"", "vocab_size is \"5\"")]
    [InlineData("\"n_layer\": \"DELETE\"", "n_layer is missing")]
    [InlineData("\"n_positions\": \"DELETE\", \"n_ctx\": \"DELETE\"", "n_positions is missing")]
    [InlineData("\"layer_norm_epsilon\": 0", "layer_norm_epsilon is 0")]
    [InlineData("\"activation_function\": \"mish\"", "activation_function is \"mish\"; gelu_new, gelu_fast, gelu_accurate, ")]
    [InlineData("\"n_layer\": 8000, \"n_head\": 4", "8000 layers x 4 heads have 40001 writers and 104001 readers; at most ")]
    [InlineData("\"model_type\": \"llama\"", "model_type is \"llama\"; only \"gpt2\"")]
    [InlineData("\"tie_word_embeddings\": \"yes\"", "tie_word_embeddings is \"yes\"; true or false")]
    public void A_config_that_cannot_be_right_is_refused(string change, string message)
    {
        PutModel();
        Put("config.json", CheckpointBuilder.ConfigJson(change));
        Refused(message);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("")]
    [InlineData("{\"model_type\": \"gpt2\"} x")]
    public void A_config_that_is_no_JSON_is_refused(string text)
    {
        PutModel();
        Put("config.json", text);
        Refused("config.json, line 1: not valid JSON");
    }

    [Fact]
    public void A_missing_tensor_is_named()
    {
        Put("config.json", CheckpointBuilder.ConfigJson());
        Put("model.safetensors", CheckpointBuilder
            .File(CheckpointBuilder.Tensors(CheckpointBuilder.Config).Where(t =>
            !t.Name.EndsWith("h.1.mlp.c_fc.bias", StringComparison.Ordinal))));
        Refused("holds no tensor 'transformer.h.1.mlp.c_fc.bias' (nor 'h.1.mlp.c_fc.bias'), which a GPT-2 model with n_layer = 2 needs; "
            + "expected shape [6] = [n_inner]");
    }

    [Fact]
    public void An_untied_config_needs_a_head()
    {
        PutModel();
        Put("config.json", CheckpointBuilder.ConfigJson("\"tie_word_embeddings\": false"));
        Refused("holds no tensor 'lm_head.weight', which config.json asks for by tie_word_embeddings = false; expected shape [5, 4] = "
            + "[vocab_size, n_embd]");
    }

    [Theory]
    [InlineData("\"vocab_size\": 6", "'transformer.wte.weight' has shape [5, 4]; config.json implies [6, 4] = [vocab_size, n_embd]")]
    [InlineData("\"n_positions\": 4", "'transformer.wpe.weight' has shape [3, 4]; config.json implies [4, 4] = [n_positions, n_embd]")]
    [InlineData("\"n_inner\": null", "'transformer.h.0.mlp.c_fc.weight' has shape [4, 6]; config.json implies [4, 16] = [n_embd, n_inner]")]
    public void A_shape_that_the_config_does_not_imply_is_explained(string change, string message)
    {
        PutModel();
        Put("config.json", CheckpointBuilder.ConfigJson(change));
        Refused(message);
    }

    [Fact]
    public void Transposed_matrices_are_recognised()
    {
        Put("config.json", CheckpointBuilder.ConfigJson());
        Put("model.safetensors", CheckpointBuilder.File(CheckpointBuilder.Tensors(CheckpointBuilder.Config).Select(
            t => t.Name.EndsWith("c_attn.weight", StringComparison.Ordinal) ? (t.Name, t.Dtype, [12, 4]) : t)));
        Refused("has shape [12, 4]; config.json implies [4, 12] = [n_embd, 3 n_embd] (it seems to be transposed: GPT-2 stores its "
            + "matrices as [in, out])");
    }

    [Fact]
    public void Integer_weights_are_refused()
    {
        Put("config.json", CheckpointBuilder.ConfigJson());
        Put("model.safetensors", CheckpointBuilder.File(CheckpointBuilder.Tensors(CheckpointBuilder.Config, "I32")));
        Refused("tensor 'transformer.wte.weight' is of type I32; F32, F16, BF16 and F64 can be read");
    }

    [Fact]
    public void A_directory_without_its_files_is_explained()
    {
        Refused("holds no config.json; a Hugging Face GPT-2 directory holds config.json and model.safetensors");
        Put("config.json", CheckpointBuilder.ConfigJson());
        Refused("holds no model.safetensors; a Hugging Face GPT-2 directory holds");
        Put("pytorch_model.bin", "x");
        Refused("save_pretrained(");
        Assert.Contains("no such directory", Assert.Throws<GradpathException>(() => Gpt2Checkpoint.Open(_folder["none"])).Message,
            StringComparison.Ordinal);
        Assert.Contains("is a file", Assert.Throws<GradpathException>(() => Gpt2Checkpoint.Open(_folder["config.json"])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Half_a_vocabulary_is_one_and_what_is_missing_is_said()
    {
        PutModel();
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        Assert.False(checkpoint.HasVocabulary);
        Put("vocab.json", "{}");
        Assert.True(checkpoint.HasVocabulary);
        Assert.Contains("merges.txt is missing", Assert.Throws<GradpathException>(() => BpeTokenizer.Load(_folder.Path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_to_a_weight_file_is_followed()
    {
        Put("config.json", CheckpointBuilder.ConfigJson());
        Put("blob", CheckpointBuilder.File(CheckpointBuilder.Tensors(CheckpointBuilder.Config)));
        File.CreateSymbolicLink(_folder["model.safetensors"], "blob");
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        using Gpt2Weights weights = checkpoint.LoadWeights(_device);
        CheckValues(weights);
    }

    [Fact]
    public void The_hash_changes_with_any_file_and_with_nothing_else()
    {
        PutModel();
        string first = HashNow();
        Assert.StartsWith("sha256:", first, StringComparison.Ordinal);
        Assert.Equal(7 + 64, first.Length);
        Put("vocab.json", "{}");
        Assert.Equal(first, HashNow());
        byte[] weights = File.ReadAllBytes(_folder["model.safetensors"]);
        weights[^1] ^= 1;
        Put("model.safetensors", weights);
        string second = HashNow();
        Assert.NotEqual(first, second);
        Put("config.json", CheckpointBuilder.ConfigJson("\"layer_norm_epsilon\": 1e-6"));
        Assert.NotEqual(second, HashNow());
    }

    [Fact]
    public void The_sampled_hash_sees_the_start_of_every_tensor()
    {
        PutModel();
        HashSet<string> seen = [SampledHash()];
        using (SafetensorsFile file = SafetensorsFile.Open(_folder["model.safetensors"]))
        {
            Assert.All(seen, h => Assert.StartsWith("sha256-sampled:", h, StringComparison.Ordinal));
            byte[] bytes = File.ReadAllBytes(file.Path);
            foreach (SafetensorsEntry entry in file.Entries.Values)
            {
                byte[] changed = [.. bytes];
                changed[8 + file.HeaderBytes + entry.Offset] ^= 1;
                Put("other.safetensors", changed);
                using SafetensorsFile other = SafetensorsFile.Open(_folder["other.safetensors"]);
                Assert.True(seen.Add(Sampled(other)), entry.Name);
            }
        }

        string SampledHash()
        {
            using SafetensorsFile file = SafetensorsFile.Open(_folder["model.safetensors"]);
            return Sampled(file);
        }

        string Sampled(SafetensorsFile file)
        {
            string config = _folder["config.json"];
            return CheckpointHash.Compute(config, File.ReadAllBytes(config), [file], 0, CancellationToken.None);
        }
    }

    [Fact]
    public void Hashing_can_be_cancelled()
    {
        PutModel();
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        Assert.Throws<OperationCanceledException>(() => checkpoint.ComputeHash(new CancellationToken(canceled: true)));
        Assert.Equal(checkpoint.Hash, checkpoint.ComputeHash(CancellationToken.None));
    }

    private string HashNow()
    {
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        return checkpoint.Hash;
    }

    private void PutModel()
    {
        Put("config.json", CheckpointBuilder.ConfigJson());
        Put("model.safetensors", CheckpointBuilder.File(CheckpointBuilder.Tensors(CheckpointBuilder.Config)));
    }

    private void PutShards(Func<string, string> shardOf)
    {
        var tensors = CheckpointBuilder.Tensors(CheckpointBuilder.Config);
        foreach (var shard in tensors.GroupBy(t => shardOf(t.Name))) Put(shard.Key, CheckpointBuilder.File(shard));
        Put("model.safetensors.index.json",
            $"{{\"weight_map\": {{{string.Join(',', tensors.Select(t => $"\"{t.Name}\": \"{shardOf(t.Name)}\""))}}}}}");
    }

    private void Put(string name, string text) => File.WriteAllText(_folder[name], text);

    private void Put(string name, byte[] bytes) => File.WriteAllBytes(_folder[name], bytes);

    private void Refused(string message)
    {
        GradpathException e = Assert.Throws<GradpathException>(() => Gpt2Checkpoint.Open(_folder.Path));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Contains(_folder.Path, e.Message, StringComparison.Ordinal);
    }

    private static void CheckTensor(Tensor tensor, string name, params int[] shape)
    {
        Assert.Equal(shape, tensor.Shape.ToArray());
        Assert.Equal(Enumerable.Range(0, (int)tensor.Length).Select(i => CheckpointBuilder.Value(name, i)), tensor.ToArray());
    }

    // Spelled out rather than taken from the layout table, which the loader uses too.
    private static void CheckValues(Gpt2Weights weights)
    {
        CheckTensor(weights.TokenEmbedding, "wte.weight", 5, 4);
        CheckTensor(weights.PositionEmbedding, "wpe.weight", 3, 4);
        Assert.Equal(2, weights.Layers.Count);
        for (int l = 0; l < 2; l++)
        {
            Gpt2Layer layer = weights.Layers[l];
            CheckTensor(layer.AttentionGain, $"h.{l}.ln_1.weight", 4);
            CheckTensor(layer.AttentionShift, $"h.{l}.ln_1.bias", 4);
            CheckTensor(layer.QkvWeight, $"h.{l}.attn.c_attn.weight", 4, 12);
            CheckTensor(layer.QkvBias, $"h.{l}.attn.c_attn.bias", 12);
            CheckTensor(layer.OutputWeight, $"h.{l}.attn.c_proj.weight", 4, 4);
            CheckTensor(layer.OutputBias, $"h.{l}.attn.c_proj.bias", 4);
            CheckTensor(layer.MlpGain, $"h.{l}.ln_2.weight", 4);
            CheckTensor(layer.MlpShift, $"h.{l}.ln_2.bias", 4);
            CheckTensor(layer.UpWeight, $"h.{l}.mlp.c_fc.weight", 4, 6);
            CheckTensor(layer.UpBias, $"h.{l}.mlp.c_fc.bias", 6);
            CheckTensor(layer.DownWeight, $"h.{l}.mlp.c_proj.weight", 6, 4);
            CheckTensor(layer.DownBias, $"h.{l}.mlp.c_proj.bias", 4);
        }
        CheckTensor(weights.FinalGain, "ln_f.weight", 4);
        CheckTensor(weights.FinalShift, "ln_f.bias", 4);
    }
}
