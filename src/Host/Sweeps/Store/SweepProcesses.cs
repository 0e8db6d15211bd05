using System.ComponentModel;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Gradpath.Gpt2Runtime;

namespace Gradpath.Host.Sweeps.Store;

/// <summary>
/// Worker processes of this same program. They are asked to stop by the end of their standard input, which they also see where the process
/// that started them is killed: a terminal or a batch system may have sent them the signal already, and a second one would end them before
/// their work is saved.
/// </summary>
internal static class SweepProcesses
{
    /// <summary>Tells a worker which one it is: <c>2/4</c>.</summary>
    public const string PlaceVariable = "GRADPATH_SWEEP_WORKER";

    private const int LinesKept = 20;

    /// <summary>Which worker this process is, from 0, and how many there are; null where it is none.</summary>
    /// <param name="variable">Reads a variable of the environment.</param>
    public static (int Number, int Of)? Place(Func<string, string?> variable) =>
        variable(PlaceVariable)?.Split('/') is [var number, var of]
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int n)
            && int.TryParse(of, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && n >= 1 && n <= count
            ? (n - 1, count)
            : null;

    /// <summary>How this program is started again: the file to run, and what comes before its command line.</summary>
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "In one file the program has no location: that is asked.")]
    public static (string File, IReadOnlyList<string> First) Self()
    {
        string process = Environment.ProcessPath ?? throw new GradpathException("this system does not say how to start the program again");
        string program = typeof(SweepProcesses).Assembly.Location;

        // In one file with the program, or a launcher beside it; else what runs .NET programs.
        return program.Length == 0 || Path.GetFileNameWithoutExtension(process) == Path.GetFileNameWithoutExtension(program)
            ? (process, [])
            : (process, ["exec", program]);
    }

    /// <summary>Runs workers side by side until all have ended. The lines of their error streams are passed on, each with the worker's
    /// number.</summary>
    /// <param name="starts">The workers, at least one.</param>
    /// <param name="terminal">Where the lines go.</param>
    /// <param name="cancellation">Stops the workers, which is waited for.</param>
    /// <returns>How they ended, in the order of their starts.</returns>
    /// <exception cref="GradpathException">One cannot be started; the others are stopped.</exception>
    public static IReadOnlyList<WorkerEnd> Run(IReadOnlyList<WorkerStart> starts, Terminal terminal, CancellationToken cancellation)
    {
        List<Worker> workers = [];
        terminal.HasWorkToSave = true;
        try
        {
            foreach (WorkerStart start in starts) workers.Add(Worker.Start(start, workers.Count + 1, starts.Count, terminal));
            Task ended = Task.WhenAll(workers.Select(w => w.Ended));
            try
            {
                ended.Wait(cancellation);
            }
            catch (OperationCanceledException)
            {
                foreach (Worker worker in workers) worker.Stop(terminal.StoppedBy ?? StopCause.Interrupt);
                ended.Wait(CancellationToken.None);
            }
            return [.. workers.Select(w => w.End)];
        }
        finally
        {
            // Where all went well they have ended.
            foreach (Worker worker in workers) worker.Dispose();
            terminal.HasWorkToSave = false;
        }
    }

    /// <summary>In a worker: stops the command where the process that started this one asks for that, or has ended.</summary>
    /// <param name="terminal">The worker's terminal, whose input nobody else reads.</param>
    public static void StopWithParent(Terminal terminal)
    {
        Thread thread = new(() =>
        {
            string? word = terminal.In.ReadLine();
            try
            {
                terminal.Stop?.Invoke(StopCause.All.FirstOrDefault(c => c.Signal.ToString() == word) ?? StopCause.Interrupt);
            }
            catch (ObjectDisposedException)
            {
                // The command has ended by itself.
            }
        })
        {
            IsBackground = true,
            Name = "parent",
        };
        thread.Start();
    }

    private sealed class Worker : IDisposable
    {
        private readonly Process _process;
        private readonly int _number;
        private readonly Queue<string> _errors = new();
        private readonly Task<string> _out;
        private readonly Task _lines;

        private Worker(Process process, int number, Terminal terminal)
        {
            _process = process;
            _number = number;
            _out = process.StandardOutput.ReadToEndAsync();
            _lines = Task.Run(() => Pass(terminal));
            Ended = Task.WhenAll(process.WaitForExitAsync(), _out, _lines);
        }

        /// <summary>Ends with the process.</summary>
        public Task Ended { get; }

        /// <summary>How it ended.</summary>
        public WorkerEnd End => new(_number, _process.ExitCode, _out.Result, [.. _errors]);

        /// <summary>Starts a worker.</summary>
        /// <param name="start">How.</param>
        /// <param name="number">Which it is, from 1.</param>
        /// <param name="of">How many there are.</param>
        /// <param name="terminal">Where its lines go.</param>
        /// <exception cref="GradpathException">It cannot be started.</exception>
        public static Worker Start(WorkerStart start, int number, int of, Terminal terminal)
        {
            (string file, IReadOnlyList<string> first) = Self();
            ProcessStartInfo info = new(file, [.. first, .. start.Arguments])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            };
            foreach ((string name, string value) in start.Variables) info.Environment[name] = value;
            info.Environment[PlaceVariable] = string.Create(CultureInfo.InvariantCulture, $"{number}/{of}");
            try
            {
                return new Worker(Process.Start(info)!, number, terminal);
            }
            catch (Exception e) when (e is Win32Exception or IOException)
            {
                throw new GradpathException($"worker {number} cannot be started: {file}: {e.Message}", e);
            }
        }

        /// <summary>Asks it to stop.</summary>
        /// <param name="cause">Why.</param>
        public void Stop(StopCause cause)
        {
            try
            {
                _process.StandardInput.WriteLine(cause.Signal);
                _process.StandardInput.Close();
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
            {
                // It has ended.
            }
        }

        /// <summary>Asks it to stop where it has not ended.</summary>
        public void Dispose()
        {
            if (!Ended.IsCompleted)
            {
                Stop(StopCause.Interrupt);
                Ended.Wait();
            }
            _process.Dispose();
        }

        private void Pass(Terminal terminal)
        {
            while (_process.StandardError.ReadLine() is { } line)
            {
                if (_errors.Count == LinesKept) _errors.Dequeue();
                _errors.Enqueue(line);
                terminal.PassOn($"worker {_number}", line);
            }
        }
    }
}
