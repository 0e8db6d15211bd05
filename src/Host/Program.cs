Console.Error.WriteLine("gradpath");
