namespace Gradpath.Host.Tests;

/// <summary>Short forms of command lines: read as the long ones, and shown in help.</summary>
public sealed class ShortFormsTests
{
    [Theory]
    [InlineData("sweep plan.yaml --out a", "sweep --plan plan.yaml --out a")]
    [InlineData("sweep status a --json", "sweep-status --dir a --json")]
    [InlineData("sweep merge --dir a", "sweep-merge --dir a")]
    [InlineData("transcode graph --model demo", "transcode-graph --model demo")]
    [InlineData("transcode trian --model demo", "transcode-trian --model demo")]
    [InlineData("completion bash", "completion --shell bash")]
    [InlineData("convert a.json --out b.csv", "convert --in a.json --out b.csv")]
    [InlineData("convert a.json b.json --to mib", "convert --in a.json,b.json --to mib")]
    [InlineData("compare a.json b.json --top-n 5", "compare --files a.json,b.json --top-n 5")]
    [InlineData("convert --in a.json --to mib", "convert --in a.json --to mib")]
    [InlineData("reproduce ioi --quiet", "reproduce --study ioi --quiet")]
    [InlineData("kernels list --json", "kernels --list --json")]
    [InlineData("kernels dump Rows --out a", "kernels --dump Rows --out a")]
    [InlineData("kernels run --shape 1x2x3", "kernels --run --shape 1x2x3")]
    [InlineData("kernels compile", "kernels --compile")]
    [InlineData("kernels lst --json", "kernels --lst --json")]
    [InlineData("make-model list", "make-model --list")]
    [InlineData("make-model sort --out a", "make-model --program sort --out a")]
    [InlineData("benchmark --ground-truth", "ground-truth")]
    [InlineData("benchmark --method eap --ground-truth --json", "ground-truth --method eap --json")]
    [InlineData("benchmark --ground-truth ioi --out a", "benchmark --ground-truth ioi --out a")]
    [InlineData("score --model demo", "score --model demo")]
    public void A_short_form_is_the_long_one(string given, string meant)
    {
        Assert.Equal(meant, string.Join(' ', ShortForms.Long(given.Split(' '))));
    }

    [Theory]
    [InlineData("  gradpath sweep --out a --plan plan.yaml", "  gradpath sweep plan.yaml --out a")]
    [InlineData("  gradpath sweep-submit --array 8 --dir a --plan b", "  gradpath sweep submit a --array 8 --plan b")]
    [InlineData("  gradpath transcode-train --model demo --out a", "  gradpath transcode train --model demo --out a")]
    [InlineData("  gradpath reproduce --data a/b --study ioi", "  gradpath reproduce ioi --data a/b")]
    [InlineData("  gradpath convert --in a.json --out b", "  gradpath convert a.json --out b")]
    [InlineData("  gradpath kernels --dump Rows --out a", "  gradpath kernels dump Rows --out a")]
    [InlineData("  gradpath make-model --out a --program sort", "  gradpath make-model sort --out a")]
    [InlineData("  gradpath make-model --list", "  gradpath make-model list")]
    [InlineData("  gradpath ground-truth --method eap", "  gradpath benchmark --ground-truth --method eap")]
    [InlineData("  gradpath score --model demo --plan x", "  gradpath score --model demo --plan x")]
    public void Examples_are_short(string line, string shown) => Assert.Equal(shown, ShortForms.Short(line));

    [Theory]
    [InlineData("sweep", "  gradpath sweep sweeps/demo.yaml --out runs/demo")]
    [InlineData("sweep-status", "  gradpath sweep status runs/demo")]
    [InlineData("sweep-retry", "  gradpath sweep retry runs/demo")]
    [InlineData("sweep-merge", "  gradpath sweep merge runs/demo")]
    [InlineData("sweep-submit", "  gradpath sweep submit runs/eap-gp --array 8 ")]
    [InlineData("transcode-train", "  gradpath transcode train --features 256 ")]
    [InlineData("transcode-graph", "  gradpath transcode graph ")]
    [InlineData("kernels", "  gradpath kernels dump standardize")]
    [InlineData("selftest", "  gradpath selftest --write-scores cpu.safetensors")]
    [InlineData("bench", "  gradpath bench --only Gemm,W1")]
    public void Help_shows_them(string verb, string line) => Cli.Run(verb, "--help").Succeeds(line);
}
