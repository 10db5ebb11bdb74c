// SPDX-License-Identifier: MIT
/*
 * Random commands to luna.ko: the programs of tests/fuzz/dispatch.c, whose commands go to /dev/luna0 and
 * /dev/luna1 here (linked with --wrap), run by several processes at a time. Of the commands, some go
 * with a buffer that ends where memory does, or that cannot be written, or that another thread changes
 * meanwhile; and another thread repeats old ones on the same files, so that two are in the same session.
 *
 * What is a finding: a reply that fuzz_ioctl() does not know, a process that hangs, and what the kernel
 * of tests/vm/debug-kernel says, which ends the machine. For that one, each process notes the seed of
 * the input at hand in a file outside the machine. Prints TAP.
 *
 * Usage: fuzz SEED SECONDS PROCESSES NOTES CORPUS
 *	NOTES	a file; CORPUS: a directory with programs to begin with
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../fuzz/common.h"

enum {
	INPUT = 1024,
	CORPUS_MAX = 512,
	PROCESSES_MAX = 16,
	OLD = 16,		/* commands that are repeated */
	PAGE = 4096,
	ROOM = 4 * PAGE,	/* LUNA_IOC_MAX */
	DEAR = 32,		/* of so many dear commands, one is carried */
	HANG = 600,		/* seconds that an input may take */
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t len);
struct luna_open *__wrap_luna_open_by(struct luna_token *token, u32 owner);
void __wrap_luna_release(struct luna_open *open);
int __wrap_luna_cmd(struct luna_open *open, u32 nr, const void *in, size_t len, void *out,
		    size_t *out_len);

/**
 * struct tally - what a process tells the others
 * @seed: of the input at hand
 * @carried, @done: by the device, and with CKR_OK
 * @since: when that began
 */
struct tally {
	_Atomic u64 inputs, seed, carried, done, refused, faults, raced, repeated, opened;
	_Atomic time_t since;
};

static struct tally *tallies, *tally;

static void bail(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- chance, which a seed repeats ---- */

static _Thread_local u64 state;

static u32 draw(u32 below)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % below;
}

/* ---- buffers ---- */

static bool playing;		/* else the tokens are being made ready, in good faith */
static u8 *edge;		/* ROOM bytes, and behind them nothing */
static u8 *fixed;		/* two pages, of which the second is not to be written */
static u8 *shared;		/* ROOM bytes, changed all the time */
static atomic_bool racing;

static u8 *map(size_t len)
{
	u8 *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		bail("mmap");
	return p;
}

/* Another thread's part: lengths, flags, handles and whatever follows. */
static void *change(void *arg)
{
	static const u32 values[] = { 0, 1, 8, 40, 64, 96, 4096, 0x7fffffff, 0xffffffff };
	u32 at;

	state = *(u64 *)arg;
	for (;;) {
		if (!atomic_load(&racing)) {
			usleep(200);
			continue;
		}
		at = draw(4) ? draw(128) : draw(ROOM);
		if (draw(2))
			memcpy(shared + (at & ~3u), &values[draw(ARRAY_SIZE(values))], sizeof(u32));
		else
			shared[at] ^= 1 << draw(8);
	}
	return NULL;
}

/* ---- commands ---- */

struct old {
	int fd;
	u32 nr, len;
	u8 bytes[ROOM];
};

static struct old olds[OLD];
static pthread_mutex_t old_lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * Keys that are searched or stretched take as long as thousands of other commands; of those few are
 * enough. They also wear out a token, after which much is refused.
 */
static bool is_dear(u32 nr)
{
	return nr == LUNA_INIT_TOKEN || nr == LUNA_SET_DOMAIN || nr == LUNA_SET_PIN ||
	       nr == LUNA_IMAGE_RESTORE || nr == LUNA_GENERATE_PAIR;
}

static void remember(int fd, u32 nr, const void *in, u32 len)
{
	struct old *old = &olds[draw(OLD)];

	pthread_mutex_lock(&old_lock);
	old->fd = fd;
	old->nr = nr;
	old->len = len;
	memcpy(old->bytes, in, len);
	pthread_mutex_unlock(&old_lock);
}

/* Repeats them; a file that was closed meanwhile, or is another one now, is as good. */
static void *repeat(void *arg)
{
	static struct old one;

	state = *(u64 *)arg + 1;
	for (;;) {
		usleep(draw(4000));
		pthread_mutex_lock(&old_lock);
		one = olds[draw(OLD)];
		pthread_mutex_unlock(&old_lock);
		if (one.len && !is_dear(one.nr)) {
			ioctl(one.fd, LUNA_IOC(one.nr, one.len), one.bytes);
			tally->repeated++;
		}
	}
	return NULL;
}

/* Where no reply can be told from what others made of it, the caller gets an error and nothing. */
static int carry_spoilt(int fd, u32 nr, const void *in, size_t len)
{
	u8 *at;

	switch (draw(3)) {
	case 0:
		at = edge + ROOM - draw(len + 1);
		memcpy(at, in, min_t(size_t, len, edge + ROOM - at));
		break;
	case 1:
		mprotect(fixed, 2 * PAGE, PROT_READ | PROT_WRITE);
		at = fixed + PAGE - min_t(size_t, draw(len + 1), PAGE);
		memcpy(at, in, min_t(size_t, len, fixed + 2 * PAGE - at));
		mprotect(fixed + PAGE, PAGE, PROT_READ);
		break;
	default:
		at = shared;
		memcpy(at, in, len);
		atomic_store(&racing, true);
		tally->raced++;
	}
	if (ioctl(fd, LUNA_IOC(nr, len), at) && errno == EFAULT)
		tally->faults++;
	atomic_store(&racing, false);
	return -EINVAL;
}

int __wrap_luna_cmd(struct luna_open *open, u32 nr, const void *in, size_t len, void *out,
		    size_t *out_len)
{
	static u8 buf[ROOM];
	const struct luna_hdr *hdr = (void *)buf;
	int fd = (int)(intptr_t)open, err;

	*out_len = 0;
	if (len > LUNA_IOC_MAX)
		return -E2BIG;
	if (playing) {
		if (is_dear(nr) && draw(DEAR))
			return -EINVAL;
		remember(fd, nr, in, len);
		if (!draw(8))
			return carry_spoilt(fd, nr, in, len);
	}
	memcpy(buf, in, len);
	err = ioctl(fd, LUNA_IOC(nr, len), buf) ? -errno : 0;
	if (err) {
		tally->refused++;
		return err;
	}
	tally->carried++;
	tally->done += hdr->rv == CKR_OK;
	*out_len = hdr->size + hdr->out_len;
	memcpy(out, buf, min_t(size_t, *out_len, len));
	return 0;
}

struct luna_open *__wrap_luna_open_by(struct luna_token *token, u32 owner)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/luna%u", token->config.slot);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		bail(path);
	tally->opened++;
	return (struct luna_open *)(intptr_t)fd;
}

void __wrap_luna_release(struct luna_open *open)
{
	close((int)(intptr_t)open);
}

/* ---- inputs ---- */

static struct {
	u8 bytes[INPUT];
	u32 len;
} corpus[CORPUS_MAX];
static u32 corpus_count;

static void read_corpus(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char name[512];
	FILE *file;

	if (!dir)
		bail(path);
	while ((entry = readdir(dir)) && corpus_count < CORPUS_MAX) {
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		file = fopen(name, "r");
		if (!file)
			continue;
		corpus[corpus_count].len = fread(corpus[corpus_count].bytes, 1, INPUT, file);
		corpus_count += corpus[corpus_count].len > 0;
		fclose(file);
	}
	closedir(dir);
}

/* New, or one of the corpus with the end of another one and some bytes changed */
static u32 make_input(u8 *input)
{
	u32 len = 64 + draw(INPUT - 64), i, from, to;

	for (i = 0; i < INPUT; i++)
		input[i] = draw(256);
	if (!corpus_count || !draw(3))
		return len;
	from = draw(corpus_count);
	len = corpus[from].len;
	memcpy(input, corpus[from].bytes, len);
	from = draw(corpus_count);
	if (draw(2) && corpus[from].len) {
		to = draw(len);
		i = draw(corpus[from].len);
		len = min_t(u32, INPUT, to + corpus[from].len - i);
		memcpy(input + to, corpus[from].bytes + i, len - to);
	}
	for (i = draw(8); i; i--)
		input[draw(len)] = draw(256);
	return len;
}

/* ---- processes ---- */

static _Noreturn void play(u64 seed)
{
	static u8 input[INPUT];
	pthread_t changer, repeater;
	u32 len;

	edge = map(ROOM + PAGE);
	fixed = map(2 * PAGE);
	shared = map(ROOM);
	if (mprotect(edge + ROOM, PAGE, PROT_NONE) ||
	    pthread_create(&changer, NULL, change, &seed) ||
	    pthread_create(&repeater, NULL, repeat, &seed))
		bail("a process");
	playing = true;
	for (;; seed++) {
		state = seed;
		draw(2);
		tally->seed = seed;
		tally->since = time(NULL);
		len = make_input(input);
		LLVMFuzzerTestOneInput(input, len);
		tally->inputs++;
	}
}

static void note(const char *path, u32 count)
{
	FILE *file = fopen(path, "w");
	u32 i;

	for (i = 0; file && i < count; i++)
		fprintf(file, "%u: seed %llu, %llu inputs, %llu commands\n", i,
			(unsigned long long)tallies[i].seed, (unsigned long long)tallies[i].inputs,
			(unsigned long long)(tallies[i].carried + tallies[i].refused));
	if (file)
		fclose(file);
}

/* Return: whether all went on until the time was over */
static bool watch(pid_t *pids, u32 count, time_t end, const char *notes)
{
	bool ok = true;
	int status;
	pid_t pid;
	u32 i;

	while (ok && time(NULL) < end) {
		sleep(2);
		note(notes, count);
		pid = waitpid(-1, &status, WNOHANG);
		for (i = 0; i < count; i++) {
			if (pid != pids[i] && time(NULL) - tallies[i].since < HANG)
				continue;
			printf("# process %u %s, input of seed %llu\n", i,
			       pid == pids[i] ? "ended" : "hangs",
			       (unsigned long long)tallies[i].seed);
			ok = false;
		}
	}
	for (i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return ok;
}

static u64 sum(u32 count, size_t member)
{
	u64 total = 0;
	u32 i;

	for (i = 0; i < count; i++)
		total += *(_Atomic u64 *)((u8 *)&tallies[i] + member);
	return total;
}

#define SUM(member) ((unsigned long long)sum(count, offsetof(struct tally, member)))

int main(int argc, char **argv)
{
	u64 seed = argc == 6 ? strtoull(argv[1], NULL, 10) : 0;
	u32 count = argc == 6 ? atoi(argv[3]) : 0, i;
	pid_t pids[PROCESSES_MAX];
	bool ok;

	if (!count || count > PROCESSES_MAX) {
		fprintf(stderr, "usage: fuzz SEED SECONDS PROCESSES NOTES CORPUS\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	tallies = (void *)map(sizeof(*tallies) * (PROCESSES_MAX + 1));
	tally = &tallies[count];
	read_corpus(argv[5]);
	LLVMFuzzerInitialize(&argc, &argv);
	printf("# the tokens are ready: %llu commands\n", (unsigned long long)tally->carried);
	for (i = 0; i < count; i++) {
		tallies[i].since = time(NULL);
		pids[i] = fork();
		if (pids[i] < 0)
			bail("fork");
		tally = &tallies[i];
		if (!pids[i])
			play((seed << 32) + ((u64)i << 24));
	}
	ok = watch(pids, count, time(NULL) + atoi(argv[2]), argv[4]);
	printf("%sok 1 - seed %s, %u processes, %s s: %llu inputs, %llu opens, %llu commands carried, "
	       "%llu of them done, %llu refused; %llu on bad memory, %llu while another thread changed them, %llu in "
	       "another thread\n1..1\n", ok ? "" : "not ", argv[1], count, argv[2], SUM(inputs),
	       SUM(opened), SUM(carried), SUM(done), SUM(refused), SUM(faults), SUM(raced), SUM(repeated));
	return !ok;
}
