#:project ../../src/Gpt2Runtime/Gpt2Runtime.csproj
#:property EnableNETAnalyzers=false

using System.Diagnostics;
using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Gpt2Runtime.Checkpoints;
using Gradpath.Gpt2Runtime.Tasks;
using Gradpath.Gpt2Runtime.Tokenization;
using Gradpath.Kernels.Cpu;

// Median microseconds of the smallest score from C#: call MODEL CALLS.
using var device = new CpuDevice(1);
using var checkpoint = Gpt2Checkpoint.Open(args[0]);
using var model = checkpoint.LoadWeights(device);
var prompts = PromptLoader.Load("ioi", null, BpeTokenizer.Load(args[0]), new PromptOptions { Limit = 1 });
var options = new AttributionOptions { Method = AttributionMethods.Eap };
int calls = int.Parse(args[1]);
double[] times = new double[calls];
for (int i = -calls; i < calls; i++)
{
    long start = Stopwatch.GetTimestamp();
    EdgeAttribution.Score(model, prompts, options);
    if (i >= 0) times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
}
Array.Sort(times);
Console.WriteLine(times[calls / 2].ToString("0.0", System.Globalization.CultureInfo.InvariantCulture));
