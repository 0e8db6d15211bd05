using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Kernels.Cpu;

namespace Gradpath.Gpt2Runtime.Tests.Checkpoints;

/// <summary>Names of tensors: what programs put around them, what is none of the model, and which head is the model's.</summary>
public sealed class TensorNamesTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("_orig_mod.transformer.")]
    [InlineData("module.")]
    [InlineData("module.transformer.")]
    [InlineData("model.")]
    [InlineData("model.transformer.")]
    [InlineData("_orig_mod.module.transformer.")]
    [InlineData("transformer._orig_mod.")]
    [InlineData("_fsdp_wrapped_module._orig_mod.transformer.")]
    public void What_compiling_and_distributed_training_put_in_front_is_passed_over(string prefix)
    {
        Put(
            Tensors().Select(t => (t.Name.Replace("transformer.", prefix, StringComparison.Ordinal), t.Dtype, t.Shape)),
            "\"tie_word_embeddings\": true");
        using CpuDevice device = new(1);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        using Gpt2Weights weights = checkpoint.LoadWeights(device);
        Assert.Equal((2, 2), (checkpoint.Config.Layers, weights.Layers.Count));
    }

    [Theory]
    [InlineData("transformer.h.0._orig_mod.attn.c_attn.weight", "h.0.attn.c_attn.weight")]
    [InlineData("module.lm_head.weight", "lm_head.weight")]
    [InlineData("model.transformer.wte.weight", "wte.weight")]
    [InlineData("h.1.ln_1.model", "h.1.ln_1.model")]
    [InlineData("transformers.wte.weight", "transformers.wte.weight")]
    [InlineData("", "")]
    public void Bare_names_are_those_of_the_layout(string name, string bare) => Assert.Equal(bare, TensorNames.Bare(name));

    [Fact]
    public void A_file_of_other_names_has_its_first_ones_listed()
    {
        string[] names = ["blocks.0.w", "blocks.1.w", "c", "d", "e", "f"];
        Put(names.Select(name => (name, "F32", new[] { 1 })));
        Refused("holds no tensor 'transformer.wte.weight' (nor 'wte.weight'), which a GPT-2 model with n_layer = 2 needs",
            "the file holds \"blocks.0.w\", \"blocks.1.w\", \"c\", \"d\" and 2 more");
        Put([]);
        Refused("the file holds no tensor at all");
    }

    [Fact]
    public void A_tensor_with_and_without_prefix_is_refused()
    {
        Put([.. Tensors(), ("h.1.ln_1.bias", "F32", [4])]);
        Refused("tensor 'h.1.ln_1.bias' appears twice, as \"transformer.h.1.ln_1.bias\" and \"h.1.ln_1.bias\"");
    }

    [Theory]
    [InlineData("transformer.h.2.ln_1.weight", "a tensor of layer 2 counted from 0, but config.json states n_layer = 2")]
    [InlineData("module.transformer.h.11.attn.c_attn.weight", "a tensor of layer 11 counted from 0")]
    [InlineData("transformer.h.0.crossattention.c_attn.weight", "which a GPT-2 model does not have")]
    [InlineData("transformer.h.0.attn.c_attn.lora_A.weight", "adapters and the like must be merged")]
    [InlineData("wte.bias", "which a GPT-2 model does not have")]
    [InlineData("h.first.ln_1.weight", "which a GPT-2 model does not have")]
    public void Weights_that_would_not_run_are_refused(string name, string message)
    {
        Put([.. Tensors(), (name, "F32", [4])]);
        Refused(message, Quoted.Text(name));
    }

    [Theory]
    [InlineData("transformer.h.0.attn.bias")]
    [InlineData("h.0.attn.masked_bias")]
    [InlineData("score.weight")]
    [InlineData("v_head.summary.weight")]
    public void Buffers_and_heads_for_other_purposes_are_passed_over(string name)
    {
        Put([.. Tensors(), (name, "U8", [4])]);
        Gpt2Checkpoint.Open(_folder.Path).Dispose();
    }

    [Theory]
    [InlineData("\"tie_word_embeddings\": true", "lm_head.weight")]
    [InlineData("", "lm_head.weight")]
    [InlineData("", "module.lm_head.weight")]
    public void A_head_that_differs_from_the_embedding_is_used_and_said(string tie, string name)
    {
        Put([.. Tensors(), (name, "F32", [5, 4])], tie);
        using CpuDevice device = new(1);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        using Gpt2Weights weights = checkpoint.LoadWeights(device);
        Assert.False(checkpoint.Config.TiedHead);
        Assert.NotSame(weights.TokenEmbedding, weights.Unembedding);
        Assert.Equal(CheckpointBuilder.Value(name, 7), weights.Unembedding.ToArray()[7]);
        string warning = Assert.Single(checkpoint.Warnings);
        Assert.Contains($"model.safetensors: {name} differs from the token embedding", warning, StringComparison.Ordinal);
        Assert.Contains("the file's own head is used", warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("F32")]
    [InlineData("F16")]
    public void A_head_that_repeats_the_embedding_in_any_type_is_tied(string dtype)
    {
        // The values of a tensor follow from its name; this one has the same sum of letters as the embedding.
        var tensors = Tensors().Select(t => t.Name == "transformer.wte.weight" ? ("transformer.wte.weight", "F32", [5, 4]) : t).ToList();
        byte[] file = CheckpointBuilder.File([.. tensors, ("lm_head.weight", dtype, [5, 4])]);
        CheckpointBuilder.Encode(dtype, [.. Enumerable.Range(0, 20).Select(i => CheckpointBuilder.Value("wte.weight", i))])
            .CopyTo(file.AsSpan(file.Length - (dtype == "F32" ? 80 : 40)));
        File.WriteAllText(_folder["config.json"], CheckpointBuilder.ConfigJson());
        File.WriteAllBytes(_folder["model.safetensors"], file);
        using Gpt2Checkpoint checkpoint = Gpt2Checkpoint.Open(_folder.Path);
        Assert.True(checkpoint.Config.TiedHead);
        Assert.Empty(checkpoint.Warnings);
    }

    [Fact]
    public void A_head_of_another_shape_is_refused_also_where_it_would_be_tied()
    {
        Put([.. Tensors(), ("lm_head.weight", "F32", [4, 5])]);
        Refused("tensor 'lm_head.weight' has shape [4, 5]; config.json implies [5, 4] = [vocab_size, n_embd] (it seems to be transposed");
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    [InlineData("model.safetensors.index.json")]
    public void A_pointer_of_Git_LFS_is_named_as_such(string name)
    {
        Put(Tensors());
        if (name.EndsWith("index.json", StringComparison.Ordinal)) File.Delete(_folder["model.safetensors"]);
        File.WriteAllText(_folder[name], "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n");
        Refused($"{name}: is a Git LFS pointer, not the file itself; run `git lfs pull`");
    }

    private static List<(string Name, string Dtype, int[] Shape)> Tensors() => CheckpointBuilder.Tensors(CheckpointBuilder.Config);

    private void Put(IEnumerable<(string Name, string Dtype, int[] Shape)> tensors, string config = "")
    {
        File.WriteAllText(_folder["config.json"], CheckpointBuilder.ConfigJson(config));
        File.WriteAllBytes(_folder["model.safetensors"], CheckpointBuilder.File(tensors));
    }

    private void Refused(params string[] messages)
    {
        GradpathException e = Assert.Throws<GradpathException>(() => Gpt2Checkpoint.Open(_folder.Path));
        Assert.All(messages, message => Assert.Contains(message, e.Message, StringComparison.Ordinal));
        Assert.Contains(_folder.Path, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }
}
