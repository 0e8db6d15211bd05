using System.Text;
using System.Text.RegularExpressions;
using Gradpath.Gpt2Runtime;
using Gradpath.Host.Sweeps.Plan;

namespace Gradpath.Host.Tests;

/// <summary>What no plan may say. Every message is one line that names the file, the line and the key.</summary>
public sealed partial class PlanFaultTests
{
    private const string Tail = "\nmodels: demo\ntasks: ioi\nmethods: eap\n";

    // The text stands in front of what every plan needs.
    [Theory]
    [InlineData("name: [a]", 1, "name: a list is given; a name is needed")]
    [InlineData("name:", 1, "name: nothing is given")]
    [InlineData("modles: demo", 1, "modles: no such key; did you mean models? choose name, models, tasks")]
    [InlineData("seeds: 1\nseeds: 2", 2, "seeds: the key is there twice")]
    [InlineData("seeds: []", 1, "seeds: the list is empty")]
    [InlineData("seeds: -1", 1, "seeds: -1: must be from 0 to 2147483647")]
    [InlineData("seeds: 1.5", 1, "seeds: 1.5 is not a whole number; give one, a range such as 0..3, or a list such as [0, 1, 2, 3]")]
    [InlineData("seeds: 0-3", 1, "seeds: 0-3 is not a whole number; the seeds 0 to 3 are 0..3")]
    [InlineData("seeds: [5, 1...4]", 1, "seeds: 1...4 is not a whole number; the seeds 1 to 4 are 1..4")]
    [InlineData("seeds: '1'", 1, "seeds: \"1\" is not a whole number")]
    [InlineData("seeds: 4..0", 1, "seeds: 4..0: the first seed is above the last")]
    [InlineData("seeds: 0..99999", 1, "seeds: more than 10,000 seeds")]
    [InlineData("seeds: 0..99999999999", 1, "seeds: 0..99999999999: seeds must be from 0")]
    [InlineData("seeds:\n- 0..3\n- 2", 3, "seeds: 2 is there twice")]
    [InlineData("seeds: {from: 1}", 1, "seeds: a mapping is given; a whole number")]
    [InlineData("metrics: logit-dif", 1,
        "metrics: logit-dif: no such metric; did you mean logit-diff? choose task, logit-diff, prob-diff or log-prob (kl: "
        + "does not go with the rest of this plan)")]
    [InlineData("metrics: [prob-diff, Prob_Diff]", 1, "metrics: Prob_Diff is there twice")]
    [InlineData("metrics: [task, logit-diff]", 1, "metrics: task is logit-diff for ioi, which is there too")]
    [InlineData("metrics: kl", 4, "methods: eap: metric kl: EAP has no scores")]
    [InlineData("ablations: [patching, zeros]", 1, "ablations: zeros: no such value; did you mean zero?")]
    [InlineData("prompts: 100", 1, "prompts: 100 is given; a mapping with the keys train, judge, parts is needed")]
    [InlineData("prompts:\n  trian: 3", 2, "prompts: trian: no such key; did you mean train?")]
    [InlineData("prompts: {train: 0}", 1, "prompts: train: 0: must be from 1 to 1000000")]
    [InlineData("prompts: {train: 1_000}", 1, "prompts: train: 1_000 is not a whole number")]
    [InlineData("prompts: {judge: -1}", 1, "prompts: judge: -1: must be from 0")]
    [InlineData("prompts: {train: 1000000, judge: 1}", 1, "prompts: train and judge are more than 1,000,000 pairs together")]
    [InlineData("prompts: {train: 3, parts: 4}", 1, "prompts: parts: 4 parts of 3 pairs")]
    [InlineData("prompts: {parts: 2}\nablations: mean-positional", 1, "prompts: parts: ablation mean-positional")]
    [InlineData("sizes: {}", 1, "sizes: nothing is given")]
    [InlineData("sizes: [1]", 1, "sizes: a list is given")]
    [InlineData("sizes: {fractions: 0}", 1, "sizes: fractions: 0: must be above 0 and at most 1")]
    [InlineData("sizes: {fractions: [0.1, '0,5']}", 1, "sizes: fractions: \"0,5\" is not a number")]
    [InlineData("sizes: {fractions: [0.1, .1]}", 1, "sizes: fractions: .1 is there twice")]
    [InlineData("sizes: {fractions: .nan}", 1, "sizes: fractions: .nan is not a number")]
    [InlineData("sizes: {fractions: 0.1}", 1, "sizes: fractions: a curve has two at least")]
    [InlineData("sizes: {edges: 50}", 1, "sizes: edges decide nothing: evaluate has none of sizes, known-circuit")]
    [InlineData("sizes: {fractions: 0.1}\nevaluate: none", 1, "sizes: decides nothing: evaluate has neither curve nor any of")]
    [InlineData("evaluate: [curve, transfr]", 1, "evaluate: transfr: no such value; did you mean transfer?")]
    [InlineData("evaluate: [none, curve]", 1, "evaluate: none does not go with others")]
    [InlineData("evaluate: sizes", 1, "sizes is needed: fractions or edges")]
    [InlineData("evaluate: [curve, transfer]", 1, "evaluate: transfer: circuits are judged on the pairs of another task")]
    [InlineData("evaluate: [curve, overlap]", 1, "evaluate: overlap: circuits of two methods are compared, and there is one")]
    [InlineData("evaluate: [curve, stability]\nprompts: {train: 1}", 1, "evaluate: stability: data sets are drawn")]
    [InlineData("stability: {resamples: 10}", 1, "stability: decides nothing: evaluate has no stability")]
    [InlineData("evaluate: [curve, stability]\nstability: {resamples: 1}", 2, "stability: resamples: 1: must be from 2 to 10000")]
    [InlineData("batch-size: 0", 1, "batch-size: 0: must be from 1 to 1000000")]
    [InlineData("batch-size: much", 1, "batch-size: much is not a whole number")]
    [InlineData("device: {devise: cpu}", 1, "device: devise: no such key; did you mean device? choose device, threads")]
    [InlineData("device: gpu", 1, "device: device gpu: no such device")]
    [InlineData("device: {threads: 0}", 1, "device: threads 0: must be from 1 to 1024")]
    [InlineData("device: {device: cpu, precision: tf32}", 1, "device: precision tf32 needs a GPU")]
    [InlineData("device: {device: cpu, precision: x}", 1, "device: precision x: no such value; choose fp32")]
    [InlineData("device: {gemm: x}", 1, "device: gemm x: no such value; choose own, ffma, cublas, tf32x3 or fp16x3")]
    [InlineData("device: {memory: lots}", 1, "device: memory lots: give a size")]
    [InlineData("a: [b", 2, "not valid YAML: a list, a mapping or a text above is not closed")]
    [InlineData("a: 'b", 1, "not valid YAML: while scanning a quoted scalar, found unexpected end of stream")]
    [InlineData("a: @b", 1, "not valid YAML: while scanning for the next token")]
    [InlineData("a: \"b\\nc\"", 1, "\"b\\nc\": texts are of one line")]
    [InlineData("name: !secret x", 1, "a plan has no tags")]
    [InlineData("name: *none", 1, "*none: no value above has this anchor")]
    [InlineData("name: &self [*self]", 1, "*self: no value above has this anchor")]
    [InlineData("<<: 3", 1, "<<: name a mapping, or a list of them")]
    [InlineData("? [a]\n: b", 1, "a key is a text")]
    public void What_stands_in_a_plan_is_refused_where_it_stands(string text, int line, string message) =>
        Refuse(text + Tail, line, message);

    [Theory]
    [InlineData("eap-gi", "methods: eap-gi: no such method; did you mean eap-ig? choose eap, eap-ig")]
    [InlineData("hybrid-prunning", "methods: hybrid-prunning: no such method; did you mean hybrid-pruning?")]
    [InlineData("[eap, EAP]", "methods: eap is there twice")]
    [InlineData("[eap-ig, {name: eap-ig, steps: 5}]", "methods: eap-ig steps=5 and eap-ig (line 4) are the same; leave one out")]
    [InlineData("{steps: 5}", "methods: name is needed: the name of a method")]
    [InlineData("{name: eap-ig, stpes: 5}",
        "methods: stpes: no such option of eap-ig; did you mean steps? choose steps, ig-points, positions or normalization")]
    [InlineData("{name: eap, absolute: true}", "methods: absolute: no such option of eap; choose positions or normalization; acdc has it")]
    [InlineData("{name: ensemble, of: [eap, relp], stepz: 5}",
        "methods: stepz: no such option of ensemble; choose of, by or normalization")]
    [InlineData("{name: ensemble, of: [eap, foo]}",
        "methods: ensemble: of foo: no such method; choose eap, eap-ig, eap-ig-activations, ceap, clean-corrupted, eap-gp, relp, gim, "
        + "atp-star, exact, information-flow-routes")]
    [InlineData("{name: acdc, threshold: 0.1}", "methods: threshold: acdc calls it tau")]
    [InlineData("{name: path-patch, tau: 5}", "methods: tau: path-patch calls it threshold, in percent of the metric")]
    [InlineData("{name: path-patch, sparsity: 0.9}",
        "methods: sparsity: no such option of path-patch; choose senders, positions, sender-positions, freeze-mlps, rounds, threshold "
        + "or top-n; edge-prune or hap have it")]
    [InlineData("{name: path-patch, iterate: true}", "methods: iterate: no option in a plan: a sweep always follows senders backwards")]
    [InlineData("{name: path-patch, receivers: logits}", "methods: receivers: no option in a plan: the circuits of a sweep end at the")]
    [InlineData("{name: path-patch, senders: heads}", "methods: path-patch: senders heads: a circuit begins at the input; name input too")]
    [InlineData("{name: path-patch, threshold: 5, top-n: 3}", "methods: path-patch: give either threshold or top-n")]
    [InlineData("{name: eap-ig, seed: 5}", "methods: seed: no option of a method; a plan says it under seeds")]
    [InlineData("{name: eap-ig, out: a.json}", "methods: out: 'gradpath score' has it, and a sweep has no use for it")]
    [InlineData("{name: acdc, thresholds: [1, 2]}",
        "methods: thresholds: no option of a method; a plan says it under methods, as a list of tau")]
    [InlineData("{name: eap, steps: 5}", "methods: eap: steps does not apply to eap; eap-ig")]
    [InlineData("{name: eap-ig, steps: []}", "methods: eap-ig: steps: the list is empty")]
    [InlineData("{name: eap-ig, steps: [5, 5]}", "methods: eap-ig: steps: 5 is there twice")]
    [InlineData("{name: hap, sparsity: [0.9, 0.90]}", "methods: hap: sparsity: 0.90 is there twice")]
    [InlineData("{name: eap-ig, steps: 0}", "methods: eap-ig: steps 0: must be from 1 to 10000")]
    [InlineData("{name: eap-ig, steps: five}", "methods: eap-ig: steps five: 'five' is not a whole number")]
    [InlineData("{name: eap-ig, steps: {a: 1}}",
        "methods: eap-ig: steps: a mapping is given; a value is needed")]
    [InlineData("{name: eap-ig, steps: }", "methods: eap-ig: steps: nothing is given")]
    [InlineData("{name: eap-gp, path-start: clea}", "methods: eap-gp: path-start clea: no such value; did you mean clean?")]
    [InlineData("{name: eap-gp, path-norm: batch, path-eta: match}", "methods: eap-gp: path-norm batch needs batch-size")]
    [InlineData("{name: eap, normalization: library}", "methods: eap: normalization library needs batch-size")]
    [InlineData("{name: ensemble, of: [eap-ig]}", "methods: ensemble: of eap-ig: an ensemble has at least two members")]
    [InlineData("{name: hap, node-masks: yes}", "methods: hap: node-masks: yes is given; true or false is needed")]
    [InlineData("{name: hap, node-target: 0.5}", "methods: hap: node-target needs node-masks")]
    [InlineData("{name: hap, keep: 0.01}", "methods: hap: keep 0.01 leaves fewer edges than a circuit of sparsity 0.95 has")]
    [InlineData("{name: hap, scorer: eap-gi}", "methods: hap: scorer eap-gi: no such method; did you mean eap-ig?")]
    [InlineData("{name: edge-prune, target-warmup: 20, steps: 10}",
        "methods: edge-prune: target-warmup 20: must be from 1 to the number of")]
    [InlineData("{name: acdc, objective: kk}", "methods: acdc: objective kk: no such value; did you mean kl?")]
    [InlineData("{name: path-patch, rounds: 0}", "methods: path-patch: rounds 0: must be from 1 to 1000")]
    [InlineData("[[eap]]", "methods: a list is given; the name of a method is needed")]
    public void A_method_is_refused_where_it_stands(string methods, string message) =>
        Refuse($"models: demo\ntasks: ioi\nseeds: 0\nmethods: {methods}\n", 4, message);

    [Fact]
    public void The_line_is_that_of_the_option()
    {
        Refuse("models: demo\ntasks: ioi\nmethods:\n- name: eap-ig\n  ig-points: left\n  steps:\n  - 5\n  - 0\n", 6, "eap-ig: steps 0");
        Refuse("models: demo\ntasks: ioi\nmethods:\n- name: eap\n  steps: 5\n", 5, "methods: eap: steps does not apply to eap");
        Refuse("models: demo\ntasks: ioi\nmethods:\n- name: hap\n  stpes:\n  - 5\n", 5, "methods: stpes: no such option of hap");
    }

    [Theory]
    [InlineData("tasks: ioi\nmethods: eap\n", 1, "models is needed: one model or several")]
    [InlineData("models: demo\nmethods: eap\n", 1, "tasks is needed")]
    [InlineData("models: demo\ntasks: ioi\n", 1, "methods is needed")]
    [InlineData("models: [demo, demo]\ntasks: ioi\nmethods: eap\n", 1, "models: demo is there twice")]
    [InlineData("models: demo\ntasks: iio\nmethods: eap\n", 2, "tasks: iio: no such task; did you mean ioi? choose ioi, greater-than")]
    [InlineData("models: demo\ntasks: [ioi, IOI]\nmethods: eap\n", 2, "tasks: ioi is there twice; give one of them another name")]
    [InlineData("models: demo\ntasks:\n- ioi\n- {task: ioi}\nmethods: eap\n", 4, "tasks: ioi is there twice, here and in line 3")]
    [InlineData("models: demo\ntasks: {name: mine}\nmethods: eap\n", 2, "tasks: name the prompts: task, data, or both")]
    [InlineData("models: demo\ntasks: {date: a.jsonl}\nmethods: eap\n", 2, "tasks: date: no such key; did you mean data?")]
    [InlineData("models: demo\ntasks: {data: none.jsonl}\nmethods: eap\n", 2, "tasks: data: none.jsonl: there is no file or directory ")]
    [InlineData("models: demo\ntasks: {data: there.csv}\nmethods: eap\n", 2, "tasks: data: there.csv: say with task of which task")]
    [InlineData("models: demo\ntasks: {data: there.txt}\nmethods: eap\n", 2, "tasks: data: there.txt: prompts are read from .csv, .jsonl")]
    [InlineData("models: demo\ntasks: ioi\nablations: zero\nmethods: eap-ig\n", 4,
        "methods: eap-ig: ablation zero does not apply to eap-ig")]
    [InlineData("models: demo\ntasks: ioi\nablations: zero\nmethods: {name: hap, scorer: eap-ig}\n", 4,
        "does not apply to the scorer eap-ig")]
    [InlineData("models: demo\ntasks: ioi\nmetrics: kl\nmethods: hap\n", 4, "methods: hap: metric kl: EAP has no scores")]
    [InlineData("models: demo\ntasks: ioi\nmetrics: kl\nmethods: path-patch\n", 4,
        "methods: path-patch: the distance from the clean run is 0 in the clean run, so that no effect is a share of it: say with top-n")]
    [InlineData("models: demo\ntasks: ioi\nmetrics: x\nmethods: eap-ig\n", 3,
        "metrics: x: no such metric; choose task, logit-diff, prob-diff, kl or log-prob")]
    [InlineData("models: demo\ntasks: ioi\nablations: x\nmethods: [eap, eap-ig]\n", 3,
        "ablations: x: no such value; choose patching")]
    [InlineData("models: demo\ntasks: sva\nmethods: eap\nevaluate: x\n", 4,
        "evaluate: x: no such value; choose none, curve, sizes or stability")]
    [InlineData("models: demo\ntasks: [ioi, sva]\nmethods: [acdc, hap]\nevaluate: x\n", 4,
        "evaluate: x: no such value; choose none, sizes, known-circuit, overlap or transfer")]
    [InlineData("models: demo\ntasks: ioi\nmethods: exact\nprompts: {parts: 2}\n", 4, "prompts: parts: exact: method exact: only eap")]
    [InlineData("models: demo\ntasks: ioi\nmethods: acdc\nprompts: {parts: 2}\n", 4, "prompts: parts: acdc searches, and needs all pairs")]
    [InlineData("models: demo\ntasks: ioi\nmethods: acdc\nevaluate: curve\n", 4, "evaluate: curve: the methods are searches")]
    [InlineData("models: demo\ntasks: ioi\nmethods: acdc\nsizes: {edges: 5}\n", 4, "sizes: decides nothing: the methods are searches")]
    [InlineData("models: demo\ntasks: sva\nmethods: eap\nevaluate: [curve, known-circuit]\n", 4,
        "evaluate: known-circuit: no task of the plan has one; those of ioi and greater-than are known, in GPT-2 small")]
    [InlineData("models: demo\ntasks: ioi\nmethods: exact\nevaluate: [curve, stability]\n", 4, "evaluate: stability: no method has scores")]
    [InlineData("models: demo\ntasks: [ioi, sva]\nprompts: {judge: 0}\nmethods: eap\nevaluate: [curve, transfer]\n", 5,
        "transfer: pairs are needed")]
    [InlineData("- a\n", 1, "a list is given; a mapping with the keys name, models")]
    [InlineData("models: demo\n---\nmodels: demo\n", 2, "a second document begins")]
    public void A_plan_is_refused_as_a_whole(string text, int line, string message) => Refuse(text, line, message);

    [Theory]
    [InlineData("")]
    [InlineData("# nothing but a comment\n")]
    public void An_empty_file_is_no_plan(string text) =>
        Assert.EndsWith("plan.yaml:1: the file holds no plan", Message(Encoding.UTF8.GetBytes(text)), StringComparison.Ordinal);

    [Fact]
    public void What_is_not_utf_8_is_refused_with_its_line() => Assert.Contains(
        "plan.yaml:2: not UTF-8 (byte 0xE9)", Message([.. "name: a\nmodels: "u8, 0xE9, .. "\n"u8]), StringComparison.Ordinal);

    [Fact]
    public void A_file_that_is_not_there_is_named() => Assert.Equal(
        "/nowhere/plan.yaml: there is no such file",
        Assert.Throws<GradpathException>(() => PlanReader.Read("/nowhere/plan.yaml")).Message);

    [Theory]
    [InlineData("methods:\n- eap\n\t- eap-ig\n", 3)]
    [InlineData("prompts:\n  train: 3\n  \tjudge: 3\n", 3)]
    [InlineData("\tname: a\n", 1)]
    public void A_tab_that_indents_is_named_with_its_line(string text, int line) =>
        Refuse($"models: demo\n{text}", line + 1, "not valid YAML: a tab indents the line; only spaces do");

    [Fact]
    public void A_tab_may_stand_elsewhere() => PlanSamples.Read("models:\tdemo\t# of\tours\ntasks: ioi\nmethods: eap\n");

    [Theory]
    [InlineData("{\"models\": \"demo\",\n \"tasks\": [\"ioi\",}\n", 2, "not valid JSON: '}' is an invalid start of a value")]
    [InlineData("{\n \"models\": \"demo\"\n", 3, "not valid JSON: Expected depth to be zero")]
    public void A_plan_in_json_is_called_so(string text, int line, string message) => Refuse(text, line, message);

    [Fact]
    public void What_is_far_too_large_is_refused_at_once()
    {
        Refuse(new string('[', 100_000), 1, "lists and mappings lie in one another more than 16 deep");
        Refuse("a: " + string.Concat(Enumerable.Repeat("{a: ", 50_000)), 1, "more than 16 deep");
        Refuse($"seeds: [{string.Join(',', Enumerable.Range(0, 250_000))}]\n", 1, "the file has more than 200,000 values");
        Refuse($"name: {new string('x', 5000)}\n", 1, "a text of 5,000 characters; at most 4,096 are read");
        Assert.Contains("are no plan; at most 4.0 MiB are read", Message(new byte[5 << 20]), StringComparison.Ordinal);
        string numbers = $"[{string.Join(',', Enumerable.Range(1, 200))}]";
        Refuse($"models: demo\ntasks: ioi\nmethods: {{name: hap, steps: {numbers}, draws: {numbers}}}\n", 3, "more than 10,000 settings");
        Refuse($"models: demo\ntasks: ioi\nseeds: 0..9999\nmethods: {{name: eap-ig, steps: {numbers}}}\n", 1, "more than 1,000,000 units");
    }

    [Fact]
    public void Damage_ends_in_one_line()
    {
        byte[][] plans = [.. PlanSamples.Shipped.Select(name => File.ReadAllBytes(PlanSamples.PathOf(name)))];
        byte[] marks = [.. "[]{}:,-&*!|>'\"%@`#?\n\t <0a\0"u8, 0xFF];
        Random random = new(1);
        int read = 0, refused = 0;
        using TempFolder folder = new();
        for (int i = 0; i < 600; i++)
        {
            List<byte> bytes = [.. plans[i % plans.Length]];
            for (int damage = random.Next(1, 4); damage > 0; damage--)
            {
                int at = random.Next(bytes.Count);
                if (random.Next(3) == 0) bytes.RemoveRange(at, Math.Min(random.Next(1, 30), bytes.Count - at - 1));
                else if (random.Next(2) == 0) bytes.Insert(at, marks[random.Next(marks.Length)]);
                else bytes[at] = marks[random.Next(marks.Length)];
            }
            File.WriteAllBytes(folder["plan.yaml"], [.. bytes]);
            try
            {
                PlanReader.Read(folder["plan.yaml"]);
                read++;
            }
            catch (GradpathException e)
            {
                refused++;
                Assert.DoesNotContain('\n', e.Message);
                Assert.StartsWith(folder["plan.yaml"], e.Message, StringComparison.Ordinal);
            }
        }
        Assert.True(read > 20 && refused > 100, $"{read} were read and {refused} refused");
    }

    private static void Refuse(string text, int line, string message)
    {
        string said = Message(Encoding.UTF8.GetBytes(text));
        Assert.StartsWith($"plan.yaml:{line}: ", said, StringComparison.Ordinal);
        Assert.Contains(message, said, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', said);
        Assert.False(Option().IsMatch(said), said);
        Assert.False(said.EndsWith('.'), said);
    }

    private static string Message(byte[] plan)
    {
        using TempFolder folder = new();
        File.WriteAllBytes(folder["plan.yaml"], plan);
        folder.Write("there.csv", "");
        folder.Write("there.txt", "");
        string message = Assert.Throws<GradpathException>(() => PlanReader.Read(folder["plan.yaml"])).Message;
        return message[(folder.Path.Length + 1)..];
    }

    [GeneratedRegex("--[a-z]")]
    private static partial Regex Option();
}
