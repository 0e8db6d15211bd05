# make build   builds everything and leaves the launcher ./gradpath
# make demo    scores the demo model's IOI prompts with EAP, EAP-IG and EAP-GP; files in out/demo
# make test    runs every test
# make test-isa runs the tests of the CPU as on processors with fewer vector instructions: 256-bit, 128-bit, none
# make test-cuda runs the CUDA device's tests alone, on the emulated GPU
# make kernels compiles the CUDA kernels to the PTX that is committed (needs clang++-19)
# make goldens prints how far the scores are from the EAP-IG library's, method by method
# make perf    W1 to W7 against PyTorch, where it is installed, and their floors: perf/run --quick
# make bundle  makes the program one file that needs no .NET: out/bundle/gradpath (linux-x64), and beside it gpu-check with what it takes
# make native  the C library: libgradpath.so, its engines and gradpath.h in out/native (needs gcc or clang)
# make pack    makes the NuGet packages Gradpath and Gradpath.Kernels: out/packages
# make docs    makes the pages of the API with those of docs/: out/docs/index.html (fetches docfx into out/tools)
# make api     lists in PublicAPI.Unshipped.txt what the packages' users see of them
# make wheel   builds the Python package with the C library in it: out/wheel/gradpath-*.whl
# make format  checks the code style

CONFIGURATION := Release
PROGRAM := src/Host/bin/$(CONFIGURATION)/net10.0/gradpath.dll

.PHONY: build gradpath demo test test-isa test-cuda kernels goldens perf bundle native wheel pack api docs format clean

build: gradpath

gradpath:
	@tools/sdk dotnet msbuild Engine.sln -restore -p:Configuration=$(CONFIGURATION) -v:quiet -nologo; built=$$?; \
	if [ $$built -eq 0 ] || [ -f $(PROGRAM) ]; then sed 's|PROGRAM|$(PROGRAM)|' tools/launcher > $@ && chmod +x $@; fi; exit $$built
	@echo "built ./gradpath; try: ./gradpath --help"

demo: build
	@./gradpath demo

test: build
	@CONFIGURATION=$(CONFIGURATION) tests/run

test-isa: build
	@CONFIGURATION=$(CONFIGURATION) tests/run 256-bit 128-bit scalar

test-cuda: build
	@tools/sdk dotnet test tests/PtxEmulator.Tests -c $(CONFIGURATION) --no-build -nologo
	@tools/sdk dotnet test tests/Cuda.Tests -c $(CONFIGURATION) --no-build -nologo

kernels:
	@src/Kernels/Cuda/compile

goldens: build
	@tools/sdk dotnet test tests/Gpt2Runtime.Tests -c $(CONFIGURATION) --no-build -nologo --filter GoldenScoreTests --logger "console;verbosity=detailed" | grep -E '^ *(\||Passed!|Failed!|  Failed|  Skipped)'

perf:
	@perf/run --quick

# Trimmed is what declares that it can be, the platform's own libraries: CommandLineParser and the word lists' JSON are read by
# reflection, which the compiler cannot follow and tests/bundle therefore tries.
bundle:
	@mkdir -p out/bundle
	@tools/sdk dotnet publish src/Host -c Release -r linux-x64 --self-contained --artifacts-path out/bundle/build -o out/bundle/build/publish \
	  -p:PublishSingleFile=true -p:EnableCompressionInSingleFile=true -p:PublishTrimmed=true -p:TrimMode=partial \
	  -p:SuppressTrimAnalysisWarnings=true -p:JsonSerializerIsReflectionEnabledByDefault=true -v quiet -nologo >out/bundle/publish.log \
	  || { cat out/bundle/publish.log >&2; exit 1; }
	@cp out/bundle/build/publish/gradpath out/bundle/gradpath
	@cp perf/gpu-check perf/peers/eap_ig_torch.py out/bundle/
	@out/bundle/gradpath selftest --write-scores out/bundle/gpt2-scores.safetensors --quiet >/dev/null
	@echo "out/bundle/gradpath: $$(du -k --apparent-size out/bundle/gradpath | cut -f1) KiB; tests/bundle tries it"

native:
	@src/Native/build

# The build is one of its own: its paths are the same on every machine.
pack:
	@rm -rf out/packages && mkdir -p out/packages
	@for project in src/Kernels src/Gpt2Runtime; do \
	  tools/sdk dotnet pack $$project -c Release --artifacts-path out/packages-build -o out/packages -p:ContinuousIntegrationBuild=true \
	    -v quiet -nologo >out/packages-build.log || { cat out/packages-build.log >&2; exit 1; }; done
	@du -k --apparent-size out/packages/* | sed 's/\([0-9]*\)\t\(.*\)/\2: \1 KiB/'

api:
	@tools/public-api

DOCFX := 2.81.0

docs: build
	@out/tools/docfx --version 2>/dev/null | grep -q '^$(DOCFX)' || { rm -rf out/tools/docfx out/tools/.store/docfx; \
	  tools/sdk dotnet tool install docfx --version $(DOCFX) --tool-path out/tools >/dev/null; }
	@rm -rf out/docs out/docs-api
	@tools/sdk out/tools/docfx docfx.json --warningsAsErrors >out/docs.log 2>&1 || { grep -E 'warning|error' out/docs.log >&2; exit 1; }
	@cp out/docs/README.html out/docs/index.html
	@echo "out/docs/index.html: $$(find out/docs -name '*.html' | wc -l) pages"

wheel: native
	@python3 python/build_wheel.py

format:
	@tools/sdk dotnet format Engine.sln --verify-no-changes

clean:
	@rm -rf gradpath out */*/bin */*/obj perf/bin perf/obj
