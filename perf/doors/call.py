"""Median microseconds of the smallest score from Python: call.py MODEL CALLS."""
import statistics
import sys
import time

import gradpath

model = gradpath.Model.open(sys.argv[1], device="cpu", threads=1)
pairs = gradpath.PromptPairs.task("ioi", n=1)
calls = int(sys.argv[2])
times = []
for i in range(-calls, calls):
    start = time.perf_counter()
    gradpath.score(model, pairs, method="eap", progress=False).close()
    if i >= 0:
        times.append((time.perf_counter() - start) * 1e6)
print(f"{statistics.median(times):.1f}")
