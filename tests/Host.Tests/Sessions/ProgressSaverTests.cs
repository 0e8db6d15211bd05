using Gradpath.Gpt2Runtime.Attribution;
using Gradpath.Host.Sessions;

namespace Gradpath.Host.Tests;

public sealed class ProgressSaverTests
{
    [Fact]
    public void The_state_is_saved_now_and_then()
    {
        Clock clock = new();
        int saved = 0;
        ProgressSaver saver = new(null, () => saved++, clock);
        void After(double seconds, int expected)
        {
            clock.Now += (long)(seconds * TimeSpan.TicksPerSecond);
            saver.Report(new AttributionProgress(1, 2, "edges"));
            Assert.Equal(expected, saved);
        }
        After(29, 0);
        After(2, 1);
        After(29, 1);
        After(2, 2);
        After(100, 3);
    }

    private sealed class Clock : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now;
    }
}
