Console.Error.WriteLine("perf");
