using System.Text.Json;
using Gradpath.Gpt2Runtime.Metrics;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tasks.Catalog;

namespace Gradpath.Gpt2Runtime.Tests.Tasks;

/// <summary>The published CSV files, read whole with GPT-2's vocabulary, and files that are like them but wrong.</summary>
public sealed class CsvTaskReaderTests
{
    private static readonly PromptOptions Gpt2 = new() { Vocabulary = 50257, Positions = 1024 };

    [Theory]
    [InlineData("ioi", "ioi/gpt2.csv", 1000, "logit-diff")]
    [InlineData("greater-than", "greater-than/gpt2.csv", 1000, "prob-diff")]
    [InlineData("greater-than", "greater-than/greater_than_data.csv", 1000, "prob-diff")]
    [InlineData("sva", "sva/gpt2.csv", 1240, "prob-diff")]
    [InlineData("gender-bias", "gender-bias/gpt2_regenerated.csv", 986, "logit-diff")]
    [InlineData("country-capital", "country-capital/gpt2.csv", 190, "logit-diff")]
    [InlineData("hypernymy", "hypernymy/gpt2.csv", 198, "prob-diff")]
    public void Published_file_is_read_whole(string task, string file, int count, string metric)
    {
        var set = PromptLoader.Load(task, RepositoryFiles.Data("tasks/" + file), Tokenizers.Gpt2, Gpt2);
        Assert.Equal(task, set.Task);
        Assert.Equal(metric, set.Metric.Name);
        Assert.Equal(count, set.Pairs.Count);
        Assert.Matches("^[0-9a-f]{64}$", set.Hash);
        Assert.All(set.Pairs, pair =>
        {
            Assert.Equal(50256, pair.Clean[0]);
            Assert.Equal(50256, pair.Corrupted[0]);
            Assert.Equal(pair.Clean.Length, pair.Corrupted.Length);
            Assert.Equal(pair.CleanText, Tokenizers.Gpt2.Decode(pair.Clean.AsSpan(1)));
            Assert.NotEqual(pair.Clean, pair.Corrupted);
            Assert.NotEmpty(pair.Answers);
            Assert.NotEmpty(pair.WrongAnswers);
        });
    }

    /// <summary>The file that asks for the capital of a named country is told by its columns.</summary>
    [Fact]
    public void The_reversed_file_of_country_capital_asks_for_capitals()
    {
        string path = RepositoryFiles.Data("tasks/country-capital/gpt2_reversed.csv");
        PromptSet set = PromptLoader.Load("country-capital", path, Tokenizers.Gpt2, Gpt2);
        Assert.Equal(("country-capital-reversed", 187, "logit-diff"), (set.Task, set.Pairs.Count, set.Metric.Name));
        Assert.Contains(set.Warnings, w => w.Contains("line 112: the right and the wrong answer begin with", StringComparison.Ordinal));
        Assert.Equal(" Algeria, whose capital,", set.Pairs[2].CleanText);
        Assert.Equal(978, Assert.Single(set.Pairs[2].Answers));
        Assert.Equal(1703, Assert.Single(set.Pairs[2].WrongAnswers));
        Assert.Contains("line 2", Assert.Throws<GradpathException>(
            () => PromptLoader.Load("country-capital", path, Tokenizers.Demo, new PromptOptions())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ioi", "ioi/gpt2.csv")]
    [InlineData("country-capital", "country-capital/gpt2.csv")]
    [InlineData("hypernymy", "hypernymy/gpt2.csv")]
    public void Ids_as_floating_point_and_text_in_utf16_are_the_same_prompts(string task, string file)
    {
        // What a table program and pandas make of a file: another encoding, and a column of ids as 8037.0.
        string text = File.ReadAllText(RepositoryFiles.Data("tasks/" + file));
        string floats = System.Text.RegularExpressions.Regex.Replace(text, "(?<=[,\\[ ])([0-9]{3,})(?=[,\\]\r\n])", "$1.0");
        Assert.NotEqual(text, floats);
        using var folder = new TempFolder();
        File.WriteAllText(folder["as-is.csv"], text);
        File.WriteAllText(folder["changed.csv"], floats, System.Text.Encoding.Unicode);
        PromptPair[] Pairs(string name) => [.. PromptLoader.Load(task, folder[name], Tokenizers.Gpt2, Gpt2).Pairs];
        Assert.Equal(Pairs("as-is.csv").SelectMany(Ids), Pairs("changed.csv").SelectMany(Ids));

        static int[] Ids(PromptPair pair) => [.. pair.Clean, .. pair.Corrupted, .. pair.Answers, .. pair.WrongAnswers];
    }

    [Fact]
    public void Records_of_ioi_name_the_positions_that_generated_prompts_name()
    {
        PromptPair[] pairs = [.. PromptLoader.Load("ioi", RepositoryFiles.Data("tasks"), Tokenizers.Gpt2, Gpt2).Pairs];
        Assert.All(pairs, pair =>
        {
            Assert.Equal(pair.Answers[0], pair.Clean[pair.KeyPositions["IO"]]);
            Assert.Equal(pair.WrongAnswers[0], pair.Clean[pair.KeyPositions["S1"]]);
            Assert.Equal(pair.WrongAnswers[0], pair.Clean[pair.KeyPositions["S2"]]);
            Assert.Equal(pair.Length - 1, pair.KeyPositions["END"]);
        });
    }

    /// <summary>Every task has a published file, or a sample of one, that its reader is tried on.</summary>
    [Theory]
    [MemberData(nameof(TaskCatalogTests.Names), MemberType = typeof(TaskCatalogTests))]
    public void Every_task_reads_its_own_files(string task)
    {
        PromptSet set = PromptLoader.Load(task, RepositoryFiles.Data("tasks"), Tokenizers.Gpt2, Gpt2 with { Limit = 20 });
        Assert.Equal((task, TaskCatalog.Find(task).Metric), (set.Task, set.Metric));
        Assert.All(set.Pairs, pair => Assert.Empty(pair.Answers.Intersect(pair.WrongAnswers)));
    }

    [Fact]
    public void A_harder_corruption_is_refused_where_there_is_none()
    {
        PromptOptions hard = Gpt2 with { HardCorruption = true };
        var error = Assert.Throws<GradpathException>(() => PromptLoader.Load("sva", RepositoryFiles.Data("tasks"), Tokenizers.Gpt2, hard));
        Assert.Contains("sva have no harder corruption", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Both_greater_than_files_hold_the_same_prompts()
    {
        var one = PromptLoader.Load("greater-than", RepositoryFiles.Data("tasks/greater-than/gpt2.csv"), Tokenizers.Gpt2, Gpt2).Pairs;
        var two = PromptLoader.Load("greater-than", RepositoryFiles.Data("tasks/greater-than/greater_than_data.csv"), Tokenizers.Gpt2,
            Gpt2).Pairs;
        Assert.Equal(one.Select(pair => (pair.CleanText, pair.Answers.Length)), two.Select(pair => (pair.CleanText, pair.Answers.Length)));
    }

    [Fact]
    public void Rows_mean_what_they_say()
    {
        var data = RepositoryFiles.Data("tasks");
        var ioi = First("ioi");
        Assert.Equal([12969], ioi.Answers);
        Assert.Equal([36677], ioi.WrongAnswers);
        Assert.Contains("Thomas gave", ioi.CorruptedText, StringComparison.Ordinal);
        var hard = PromptLoader.Load("ioi", data, Tokenizers.Gpt2, Gpt2 with { Limit = 1, HardCorruption = true }).Pairs[0];
        Assert.Contains("Crystal gave", hard.CorruptedText, StringComparison.Ordinal);

        var year = First("greater-than");
        Assert.Equal(["53", "99"], new[] { year.Answers[0], year.Answers[^1] }.Select(id => Tokenizers.Gpt2.Decode([id])));
        Assert.Equal(["00", "52"], new[] { year.WrongAnswers[0], year.WrongAnswers[^1] }.Select(id => Tokenizers.Gpt2.Decode([id])));

        Assert.Equal([8037], First("country-capital").Answers);
        Assert.Equal([1578], First("country-capital").WrongAnswers);
        Assert.Equal([16840, 23685], First("hypernymy").Answers);
        Assert.Equal([7018, 7602], First("hypernymy").WrongAnswers);
        Assert.Equal([673], First("gender-bias").Answers);
        Assert.Equal([339], First("gender-bias").WrongAnswers);
        Assert.Equal("ML-obj_rel_across_inanim_all", First("sva").Label);

        PromptPair First(string task) => PromptLoader.Load(task, data, Tokenizers.Gpt2, Gpt2 with { Limit = 1 }).Pairs[0];
    }

    [Fact]
    public void Sva_answers_are_the_verbs_by_the_strict_rule()
    {
        using var expected = JsonDocument.Parse(File.ReadAllBytes(RepositoryFiles.Data("tasks/sva/gpt2_verb_token_ids.json")));
        var verbs = VerbList.Read("sva", RepositoryFiles.Data("tasks/sva/combined_verb_list.csv"), Tokenizers.Gpt2);
        Assert.Equal(Ids("singular"), verbs.Singular.Order());
        Assert.Equal(Ids("plural"), verbs.Plural.Order());
        var pairs = PromptLoader.Load("sva", RepositoryFiles.Data("tasks/sva"), Tokenizers.Gpt2, Gpt2 with { Limit = 2 }).Pairs;
        Assert.Equal(verbs.Plural, pairs[0].Answers);
        Assert.Equal(verbs.Singular, pairs[1].Answers);

        int[] Ids(string number) => [.. expected.RootElement.EnumerateObject()
            .First(entry => entry.Name.StartsWith(number[..4], StringComparison.Ordinal) && entry.Value.ValueKind == JsonValueKind.Array)
            .Value.EnumerateArray().Select(id => id.GetInt32()).Order()];
    }

    [Theory]
    [InlineData("ioi", "ioi/gpt2.csv")]
    [InlineData("gender-bias", "gender-bias/gpt2_regenerated.csv")]
    [InlineData("country-capital", "country-capital/gpt2.csv")]
    [InlineData("hypernymy", "hypernymy/gpt2.csv")]
    public void Ids_for_another_vocabulary_are_refused(string task, string file)
    {
        var path = RepositoryFiles.Data("tasks/" + file);
        var error = Assert.Throws<GradpathException>(() => PromptLoader.Load(task, path, Tokenizers.Demo, new PromptOptions()));
        Assert.Contains("GPT-2's vocabulary", error.Message, StringComparison.Ordinal);
        Assert.Contains("line 2", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ioi", "", "the column clean is missing")]
    [InlineData("ioi", "clean,corrupted,correct_idx\n", "the column incorrect_idx is missing")]
    [InlineData("greater-than", "clean,corrupted,correct_idx\n", "holds no prompts")]
    [InlineData("greater-than", "clean,corrupted,correct_idx\nfrom 1745 to 17,from 1701 to 17,x\n", "line 2: correct_idx is \"x\"")]
    [InlineData("greater-than", "clean,corrupted,correct_idx\nfrom 1745 to 17,from 1701 to 17,145\n", "145")]
    [InlineData("greater-than", "clean,corrupted,correct_idx\nfrom 1745 to 17,from 1701 to 17,46\n", "no number")]
    [InlineData("greater-than", "clean,corrupted,correct_idx\nfrom 1799 to 17,from 1701 to 17,99\n", "no answer")]
    [InlineData("greater-than", "clean,corrupted,correct_idx\n\"from 1745 to 17,from 1701 to 17,45\n", "not valid CSV")]
    [InlineData("greater-than", "clean,corrupted,correct_idx\nfrom 1745 to 17,from 1701 to 17\n", "line 2: not valid CSV")]
    [InlineData("sva", "clean,corrupted,plural\nThe boy,The boys,0\n", "combined_verb_list.csv is missing")]
    [InlineData("hypernymy", "clean,corrupted,answers,answers_idx,corrupted_answers,corrupted_answers_idx\na,b,['x'],[1;2],['x'],[1]\n",
        "lists of the same length")]
    public void Malformed_file_is_named(string task, string content, string expected)
    {
        using var directory = new TempFolder();
        var path = directory.Write("prompts.csv", content);
        var error = Assert.Throws<GradpathException>(() => PromptLoader.Load(task, path, Tokenizers.Demo, new PromptOptions()));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains(directory.Path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_without_ids_serve_any_vocabulary()
    {
        using var directory = new TempFolder();
        directory.Write("sva/gpt2.csv", "clean,corrupted,plural\nThe boy,The boys,0\n\"The kings\",The king,1\n");
        directory.Write("sva/combined_verb_list.csv", "idx,sing,plur,freq\n_,is,are,_\n_,xyzzies,xyzzy,_\n");
        var set = PromptLoader.Load("sva", directory.Path, Tokenizers.Demo, new PromptOptions { PrependBos = false });
        Assert.Equal([Tokenizers.Demo.TokenId(" is")!.Value], set.Pairs[0].Answers);
        Assert.Equal([Tokenizers.Demo.TokenId(" are")!.Value], set.Pairs[1].Answers);

        directory.Write("sva/combined_verb_list.csv", "sing,plur\nxyzzies,xyzzy\n");
        Assert.Contains("no verb", Assert.Throws<GradpathException>(() =>
            PromptLoader.Load("sva", directory.Path, Tokenizers.Demo, new())).Message, StringComparison.Ordinal);
        directory.Write("sva/gpt2.csv", "clean,corrupted,plural\nThe boy,The boys,2\n");
        directory.Write("sva/combined_verb_list.csv", "sing,plur\nis,are\n");
        Assert.Contains("plural is \"2\"", Assert.Throws<GradpathException>(() =>
            PromptLoader.Load("sva", directory.Path, Tokenizers.Demo, new())).Message, StringComparison.Ordinal);
    }
}
