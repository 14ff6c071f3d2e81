# Makefile - builds, checks, installs and demonstrates tcpct.
#
#   make            build/tcpct, build/libtcpct.a and build/libtcpct.so
#   make demo       installs what it needs, then compares TCPCT with the kernel's TCP
#   make check      installs what it needs, then runs every test
#   make bench      installs what it needs, then measures our TCP beside the kernel's
#   make asan       the same program and every test, with ASan and UBSan, in build/asan/
#   make fuzz       the fuzz targets, with libFuzzer, in build/fuzz/
#   make install    to $(DESTDIR)$(PREFIX); `make uninstall` takes it away again
#   make format     rewrites the sources in the house style; check-format only looks
#   make tidy       lets clang-tidy mend what it can; check-tidy only looks
#   make check-pure proves that libtcpct does no I/O
#
# A room is a folder of sources: each becomes an archive in each of three variants (release, asan,
# fuzz), and programs link what they need out of the archives.

VERSION = 0.1.0
SONAME = libtcpct.so.0

PREFIX ?= /usr/local
CFLAGS ?= -O2 -g
CLANG ?= clang
CLANG_FORMAT ?= clang-format
CLANG_TIDY ?= clang-tidy
INSTALL ?= install
OBJCOPY ?= objcopy
NM ?= nm

WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion \
	-Wno-sign-conversion -Werror
BASE = -std=c17 $(WARNINGS) -I. -DTCPCT_VERSION='"$(VERSION)"'
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

# tcpct/ is pure C; everything around it speaks to Linux.
gnu = $(if $(filter tcpct/%,$1),,-D_GNU_SOURCE)

# ---- what there is --------------------------------------------------------------------------------

ROOMS = tcpct tun dns tools
SOURCES = $(wildcard $(ROOMS:=/*.c))
HEADERS = $(wildcard $(ROOMS:=/*.h) tests/*/*.h)
TESTS = $(wildcard tests/*/*_test.c)
FUZZERS = $(wildcard tests/fuzz/*_fuzz.c)
BENCHMARKS = $(wildcard tests/bench/*.c)
NET_HELPERS = $(wildcard tests/net/*.c)
SUPPORT = $(filter-out $(TESTS) $(FUZZERS) $(BENCHMARKS) $(NET_HELPERS),$(wildcard tests/*/*.c))
EVERY_C = $(SOURCES) $(TESTS) $(FUZZERS) $(BENCHMARKS) $(NET_HELPERS) $(SUPPORT) \
	$(wildcard tools/*/*.c)

# The objects of a room, relative to a variant's folder. The program's main() stays out of
# libtools.a, since tests and fuzzers have their own.
objects_tcpct = $(patsubst %.c,%.o,$(wildcard tcpct/*.c))
objects_tun = $(patsubst %.c,%.o,$(wildcard tun/*.c))
objects_dns = $(patsubst %.c,%.o,$(wildcard dns/*.c))
objects_tools = $(patsubst %.c,%.o,$(filter-out tools/main.c,$(wildcard tools/*.c)))
objects_tests = $(SUPPORT:.c=.o)

PROGRAM_ARCHIVES = libtools.a libdns.a libtun.a libtcpct.a
TEST_ARCHIVES = libtests.a $(PROGRAM_ARCHIVES)
LIBRARIES = -lldns -lpcap -lcrypto -lm

# A file of tests/net/ is a program of its own, which a script there runs.
TEST_PROGRAMS = $(patsubst %.c,build/asan/%,$(TESTS) $(NET_HELPERS))
BENCHMARK_PROGRAMS = $(patsubst %.c,build/release/%,$(BENCHMARKS) tests/net/stream.c)
FUZZ_PROGRAMS = $(FUZZERS:tests/fuzz/%.c=build/fuzz/%)

# ---- all ------------------------------------------------------------------------------------------

.PHONY: all asan fuzz demo check bench bench-programs install uninstall clean format check-format \
	tidy check-tidy check-pure
.SECONDARY:
.SECONDEXPANSION:

all: build/tcpct build/libtcpct.a build/libtcpct.so
asan: build/asan/bin/tcpct $(TEST_PROGRAMS)
fuzz: $(FUZZ_PROGRAMS)

build/tcpct: $(PROGRAM_ARCHIVES:%=build/release/%)
build/asan/bin/tcpct: $(PROGRAM_ARCHIVES:%=build/asan/%)

build/tcpct: build/release/tools/main.o
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(call group,release,$(PROGRAM_ARCHIVES)) $(LIBRARIES)

# For other programs: one object, in which only tcpct_* is visible.
build/libtcpct.o: $(objects_tcpct:%=build/release/%)
	$(CC) -r -nostdlib -o $@ $^
	$(OBJCOPY) --wildcard --keep-global-symbol='tcpct_*' $@

build/libtcpct.a: build/libtcpct.o
	$(ARCHIVE)

build/libtcpct.so: $(objects_tcpct:%=build/release/%) tools/libtcpct.map
	$(CC) $(CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=tools/libtcpct.map \
		-Wl,-z,defs -o $@ $(filter %.o,$^) -lcrypto

build/asan/bin/tcpct: build/asan/tools/main.o
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $< $(call group,asan,$(PROGRAM_ARCHIVES)) $(LIBRARIES)

$(TEST_PROGRAMS): build/asan/%: build/asan/%.o $(TEST_ARCHIVES:%=build/asan/%)
	$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $< $(call group,asan,$(TEST_ARCHIVES)) -lcmocka $(LIBRARIES)

build/release/tests/net/stream: $(patsubst %.c,build/release/%.o,$(wildcard tests/stream/*.c))
$(BENCHMARK_PROGRAMS): build/release/%: build/release/%.o $(PROGRAM_ARCHIVES:%=build/release/%)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(call group,release,$(PROGRAM_ARCHIVES)) \
		$(LIBRARIES)

$(FUZZ_PROGRAMS): build/fuzz/%: build/fuzz/tests/fuzz/%.o $(TEST_ARCHIVES:%=build/fuzz/%)
	$(CLANG) $(SANITIZE) -fsanitize=fuzzer -o $@ $< $(call group,fuzz,$(TEST_ARCHIVES)) $(LIBRARIES)

# The archives of a variant, whatever needs whatever.
group = -Wl,--start-group $(2:%=build/$1/%) -Wl,--end-group

# ---- the three variants ---------------------------------------------------------------------------

COMPILE = -MMD -MP -c -o $@ $<

build/release/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(call gnu,$<) $(CFLAGS) $(CPPFLAGS) -fPIC $(COMPILE)

build/asan/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE) $(call gnu,$<) -O1 -g $(CPPFLAGS) $(SANITIZE) $(COMPILE)

build/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(BASE) $(call gnu,$<) -O1 -g $(CPPFLAGS) $(SANITIZE) -fsanitize=fuzzer-no-link \
		-DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION $(COMPILE)

ARCHIVE = rm -f $@ && ar qcs $@ $^

build/release/lib%.a: $$(addprefix build/release/,$$(objects_$$*))
	@mkdir -p $(@D)
	$(ARCHIVE)

build/asan/lib%.a: $$(addprefix build/asan/,$$(objects_$$*))
	@mkdir -p $(@D)
	$(ARCHIVE)

build/fuzz/lib%.a: $$(addprefix build/fuzz/,$$(objects_$$*))
	@mkdir -p $(@D)
	$(ARCHIVE)

-include $(foreach variant,release asan fuzz,$(EVERY_C:%.c=build/$(variant)/%.d))

# ---- demo, check, bench ---------------------------------------------------------------------------

# Packages first: nothing can be compiled before them, so the build is a second make.
JOBS ?= $(shell nproc)

demo:
	@tools/deps demo
	@echo "Building build/tcpct."
	@$(MAKE) --no-print-directory -s -j$(JOBS) build/tcpct
	@tools/demo

check:
	@tools/deps check
	@echo "Building the program, the library, every test and fuzz target."
	@$(MAKE) --no-print-directory -s -j$(JOBS) all asan fuzz
	@tests/run

bench:
	@tools/deps bench
	@echo "Building the program and the benchmarks."
	@$(MAKE) --no-print-directory -s -j$(JOBS) bench-programs
	@tests/bench/run

bench-programs: build/tcpct $(BENCHMARK_PROGRAMS)

# ---- what the sources must look like --------------------------------------------------------------

format:
	$(CLANG_FORMAT) -i $(EVERY_C) $(HEADERS)

check-format:
	$(CLANG_FORMAT) --dry-run -Werror $(EVERY_C) $(HEADERS)

tidy:
	$(CLANG_TIDY) --quiet --fix $(EVERY_C) -- $(BASE) -D_GNU_SOURCE

check-tidy: $(EVERY_C:%.c=build/tidy/%)

build/tidy/%: %.c .clang-tidy $(HEADERS)
	@mkdir -p $(@D)
	$(CLANG_TIDY) --quiet $< -- $(BASE) $(call gnu,$<)
	@touch $@

# What libtcpct may import: memory, strings, snprintf, the MAC, and what compilers add. No file,
# clock, socket, thread or randomness. And what the shared library exports: tcpct_* only.
PURE = mem(cpy|move|set|cmp|chr) str(len|cmp|ncmp|chr) v?snprintf (m|c|re)alloc free qsort bsearch \
	EVP_MAC(_[A-Za-z_]+)? EVP_MD_(CTX_)?(fetch|new|free) EVP_Digest[A-Za-z_]+ EVP_(CIPHER|Cipher)[A-Za-z_0-9]+ OSSL_PARAM_[A-Za-z_]+ OPENSSL_cleanse CRYPTO_memcmp \
	_GLOBAL_OFFSET_TABLE_ __stack_chk_fail __(mem|str|v?snprintf)[a-z]*_chk
EMPTY =
SPACE = $(EMPTY) $(EMPTY)

check-pure: build/libtcpct.a build/libtcpct.so
	@! $(NM) -u build/libtcpct.a | sed -n 's/^ *U //p' | \
		grep -vxE '$(subst $(SPACE),|,$(strip $(PURE)))' || \
		{ echo "libtcpct.a must not import the symbols above"; exit 1; }
	@! $(NM) -D --defined-only build/libtcpct.so | awk '{print $$NF}' | grep -v '^tcpct_' || \
		{ echo "libtcpct.so must not export the symbols above"; exit 1; }

# ---- install --------------------------------------------------------------------------------------

INSTALLED = bin/tcpct include/tcpct.h lib/libtcpct.a lib/libtcpct.so lib/$(SONAME) \
	lib/libtcpct.so.$(VERSION) lib/pkgconfig/tcpct.pc \
	$(patsubst tools/%,share/man/man1/%,$(wildcard tools/*.1)) \
	$(patsubst tools/%,share/man/man3/%,$(wildcard tools/*.3)) \
	$(patsubst tools/%,share/man/man7/%,$(wildcard tools/*.7)) \
	$(patsubst tools/systemd/%.in,lib/systemd/system/%,$(UNITS)) lib/sysusers.d/tcpct.conf \
	share/tcpct/tcpct.lua $(patsubst tools/%,share/tcpct/%,$(LAB_FILES) $(ZONES))
UNITS = $(wildcard tools/systemd/*.service.in)
LAB_FILES = $(wildcard tools/lab/*.lab)
ZONES = $(wildcard tools/zones/*.zone tools/zones/*.signed)

install: all
	$(INSTALL) -d $(addprefix $(DESTDIR)$(PREFIX)/,bin include lib/pkgconfig share/man/man1 \
		share/man/man3 share/man/man7 share/tcpct/lab share/tcpct/zones lib/systemd/system \
		lib/sysusers.d)
	$(INSTALL) build/tcpct $(DESTDIR)$(PREFIX)/bin/
	$(INSTALL) -m 644 tcpct/tcpct.h $(DESTDIR)$(PREFIX)/include/
	$(INSTALL) -m 644 build/libtcpct.a $(DESTDIR)$(PREFIX)/lib/
	$(INSTALL) build/libtcpct.so $(DESTDIR)$(PREFIX)/lib/libtcpct.so.$(VERSION)
	ln -sf libtcpct.so.$(VERSION) $(DESTDIR)$(PREFIX)/lib/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(PREFIX)/lib/libtcpct.so
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' tools/tcpct.pc.in \
		>$(DESTDIR)$(PREFIX)/lib/pkgconfig/tcpct.pc
	$(INSTALL) -m 644 $(wildcard tools/*.1) $(DESTDIR)$(PREFIX)/share/man/man1/
	$(INSTALL) -m 644 $(wildcard tools/*.3) $(DESTDIR)$(PREFIX)/share/man/man3/
	$(INSTALL) -m 644 $(wildcard tools/*.7) $(DESTDIR)$(PREFIX)/share/man/man7/
	$(foreach unit,$(UNITS),sed 's|@PREFIX@|$(PREFIX)|' $(unit) \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/$(notdir $(unit:.in=)) &&) :
	$(INSTALL) -m 644 tools/systemd/tcpct.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/
	$(INSTALL) -m 644 tools/wireshark/tcpct.lua $(DESTDIR)$(PREFIX)/share/tcpct/
	$(INSTALL) -m 644 $(LAB_FILES) $(DESTDIR)$(PREFIX)/share/tcpct/lab/
	$(INSTALL) -m 644 $(ZONES) $(DESTDIR)$(PREFIX)/share/tcpct/zones/

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,$(INSTALLED))

clean:
	rm -rf build
