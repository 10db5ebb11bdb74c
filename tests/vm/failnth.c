// SPDX-License-Identifier: MIT
/*
 * Out of memory at every place of the module: each command of the ABI is carried again and again while
 * /proc/thread-self/fail-nth makes its n-th allocation fail, n = 1, 2, 3 and so on until the command
 * allocates less. It then says that memory ran out, or does without, and nothing has changed: sessions,
 * objects and login attempts are as many as before, and the command succeeds when asked again.
 *
 * Commands are built by the fixture of the unit tests, whose luna_cmd() is an ioctl here (linked with
 * --wrap). Needs a kernel with fault injection and root: tests/vm/debug-kernel. Prints TAP.
 *
 * Usage: failnth commands [STEP]	/dev/luna0 and /dev/luna1, fresh; STEP: allocations fail only in
 *			commands with this in their name
 *	  failnth load FILE PARAMETERS	the same for loading the module
 *	  failnth unload FILE PARAMETERS	and for unloading it
 *	  failnth plug	slot 0, which has a store, comes while its kernel thread lacks memory
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "failnth.h"

enum { FAULTS_MAX = 100000, PLUGS = 120 };

static unsigned int results, failures;

__attribute__((format(printf, 2, 3))) static void result(bool ok, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("%sok %u - ", ok ? "" : "not ", ++results);
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	failures += !ok;
}

void bail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("Bail out! ");
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	exit(1);
}

/* ---- the sweep ---- */

/* What a command that failed must leave as it was */
struct counts {
	u32 sessions, objects, attempts[2];
};

static struct counts count(struct side *side)
{
	struct counts counts = { 0 };
	struct luna_role_state state;
	struct luna_slot_info info;

	if (!side->open)
		return counts;
	if (slot_info(side, &info) || role_state(side, CKU_SO, &state))
		bail("the token on %s says nothing", side->path);
	counts.sessions = info.sessions;
	counts.objects = info.objects;
	counts.attempts[0] = state.attempts_left;
	if (!role_state(side, CKU_USER, &state))
		counts.attempts[1] = state.attempts_left;
	return counts;
}

static bool same(const struct counts *old, const struct counts *new, const char *path)
{
	if (!memcmp(old, new, sizeof(*old)))
		return true;
	printf("# %s: %u sessions, %u objects, %u and %u attempts; before: %u, %u, %u and %u\n", path,
	       new->sessions, new->objects, new->attempts[0], new->attempts[1], old->sessions,
	       old->objects, old->attempts[0], old->attempts[1]);
	return false;
}

/* The one attempt that a command may leave counted does not count here. */
static bool uncount(struct counts *old, const struct counts *new)
{
	u32 i, less = 0;

	for (i = 0; i < ARRAY_SIZE(old->attempts); i++) {
		if (new->attempts[i] + 1 != old->attempts[i])
			continue;
		old->attempts[i]--;
		less++;
	}
	return less == 1;
}

static bool memory_ran_out(s64 ret)
{
	return ret == -ENOMEM || ret == CKR_HOST_MEMORY || ret == CKR_DEVICE_MEMORY;
}

static bool must(const struct step *step, s64 (*function)(void))
{
	s64 ret = function ? function() : 0;

	if (ret)
		printf("# %s: what it needs returns %#llx\n", step->name, (unsigned long long)ret);
	return !ret;
}

/* One try. Return: whether all is as it should be; *ret: what the command returned */
static bool try_once(const struct step *step, unsigned int nth, s64 *ret)
{
	struct counts old[] = { count(&a), count(&b) }, new[2];
	bool ok;

	armed_nr = step->nr;
	armed_nth = nth;
	hit = false;
	*ret = step->run();
	if (armed_nth) {
		printf("# %s: command %u was not carried\n", step->name, step->nr);
		armed_nth = 0;
		return false;
	}
	if (*ret == step->rv)
		return true;
	if (!hit || !memory_ran_out(*ret)) {
		printf("# %s: allocation %u %s: returned %#llx\n", step->name, nth,
		       hit ? "failed" : "not reached", (unsigned long long)*ret);
		return false;
	}
	new[0] = count(&a);
	new[1] = count(&b);
	/* The next one that succeeds takes it back. */
	if (step->counts && uncount(&old[0], &new[0]) &&
	    (!must(step, step->run) || !must(step, step->before)))
		return false;
	ok = same(&old[0], &new[0], a.path);
	ok = same(&old[1], &new[1], b.path) && ok;
	if (!ok)
		printf("# %s: allocation %u failed\n", step->name, nth);
	return ok;
}

static unsigned int next(const struct step *step, unsigned int nth)
{
	return step->sparse && nth >= ALL ? nth + step->sparse : nth + 1;
}

/* Once more, and what the kernel's log says of where it was. */
static void say_where(const struct step *step, unsigned int nth)
{
	s64 ret;

	write_number("/sys/kernel/debug/failslab/verbose", 2);
	write_number("/sys/kernel/debug/fail_page_alloc/verbose", 2);
	if (must(step, step->before))
		try_once(step, nth, &ret);
	write_number("/sys/kernel/debug/failslab/verbose", 0);
	write_number("/sys/kernel/debug/fail_page_alloc/verbose", 0);
	fflush(stdout);
	if (system("dmesg | grep -v '] ? ' | tail -n 30 | sed 's/^/# /'"))
		printf("# no kernel log\n");
}

static unsigned int met;	/* steps that met a failure */
static const char *only;	/* the others are but carried; NULL: all */

/* Commands that allocate nothing are soon done; that not all are, commands() looks at. */
static void sweep(const struct step *step)
{
	unsigned int nth, refused = 0, tolerated = 0;
	bool ok = must(step, step->once) && must(step, step->before);
	s64 ret;

	if (only && !strstr(step->name, only)) {
		if (!ok || step->run() != step->rv)
			bail("%s does not succeed", step->name);
		return;
	}
	if (step->primes)
		inject_everywhere();
	else
		inject_but_in("search_prime");
	for (nth = 1; ok && nth < FAULTS_MAX; nth = next(step, nth)) {
		ok = try_once(step, nth, &ret);
		if (!ok || !hit)
			break;
		if (ret != step->rv) {
			refused++;
			continue;
		}
		tolerated++;
		ok = must(step, step->before);
	}
	if (!ok && nth > 1 && hit)
		say_where(step, nth);
	met += refused || tolerated;
	result(ok && nth < FAULTS_MAX,
	       "%s: of %s%u allocations, %u failed the command and %u did not", step->name,
	       step->sparse ? "up to " : "", nth - 1, refused, tolerated);
	fflush(stdout);
}

/* ---- the whole ---- */

/* Every command that this device knows has a step; it refuses an empty header with EINVAL. */
static void check_coverage(void)
{
	bool tried[256] = { false };
	unsigned int nr, count = 0, missing = 0;
	const struct step *const *list, *step;

	for (list = step_lists; *list; list++)
		for (step = *list; step->name; step++)
			tried[step->nr] |= step->nr != OPEN_FILE;
	for (nr = 0; nr < ARRAY_SIZE(tried); nr++) {
		struct luna_hdr hdr = { 0 };
		int ret = ioctl(descriptor(a.open), LUNA_IOC(nr, sizeof(hdr)), &hdr);

		if (ret && errno == ENOTTY)
			continue;
		count++;
		if (tried[nr])
			continue;
		printf("# command %u has no step\n", nr);
		missing++;
	}
	result(count && !missing, "%u commands, each with a step", count);
}

static s64 b_ready(void)
{
	return side_open(&b) ?: init_token(&b, FX_DOMAIN, 0) ?:
	       fx_session(b.open, true, &b.session) ?: be(&b, CKU_SO) ?:
	       fx_init_pin(b.open, b.session, CKU_USER, FX_CO_PIN) ?: be(&b, CKU_USER);
}

static int commands(void)
{
	const struct step *const *list, *step;
	s64 ret = b_ready();
	size_t swept = 0;

	if (ret)
		bail("%s cannot be made ready: %#llx", b.path, (unsigned long long)ret);
	for (list = step_lists; *list; list++)
		for (step = *list; step->name; step++, swept++)
			sweep(step);
	if (!a.open)
		bail("%s is not open", a.path);
	check_coverage();
	result(only || met > swept / 2, "%u of %zu steps met an allocation that failed", met, swept);
	side_close(&a);
	side_close(&b);
	return 0;
}

static s64 load_module(const char *path, const char *parameters, unsigned int nth)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	s64 ret;

	if (fd < 0)
		bail("%s: %s", path, strerror(errno));
	if (nth)
		inject_begin(nth);
	ret = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	if (nth)
		hit = inject_end();
	close(fd);
	return ret;
}

static s64 unload_module(unsigned int nth)
{
	s64 ret;

	if (nth)
		inject_begin(nth);
	ret = syscall(SYS_delete_module, "luna", O_NONBLOCK) ? -errno : 0;
	if (nth)
		hit = inject_end();
	return ret;
}

/*
 * What a failed allocation makes of loading: tmpfs says ENOSPC when it has no inode, and the crypto API
 * does not find an algorithm for whose first instance it had no memory (luna.ko: EOPNOTSUPP).
 */
static bool load_may_fail_with(s64 err)
{
	return err == -ENOMEM || err == -ENOSPC || err == -EOPNOTSUPP;
}

static int load(const char *path, const char *parameters)
{
	unsigned int nth, refused = 0, tolerated = 0;
	bool ok = true;
	s64 ret = 0;

	inject_only_in("do_one_initcall");
	for (nth = 1, hit = true; ok && hit && nth < FAULTS_MAX; nth++) {
		ret = load_module(path, parameters, nth);
		refused += !!ret;
		tolerated += hit && !ret;
		ok = ret ? hit && load_may_fail_with(ret) : !unload_module(0);
		if (!ok)
			printf("# allocation %u %s: %lld\n", nth, hit ? "failed" : "not reached",
			       (long long)ret);
	}
	result(ok && !hit && refused, "load %s: of %u allocations, %u failed it and %u did not",
	       parameters, nth - 2, refused, tolerated);
	return 0;
}

/* Going cannot fail: whatever memory it does not get, it does without. */
static int unload(const char *path, const char *parameters)
{
	unsigned int nth;
	bool ok = true;
	s64 ret = 0;

	inject_everywhere();
	for (nth = 1, hit = true; ok && hit && nth < FAULTS_MAX; nth++) {
		if (load_module(path, parameters, 0))
			bail("%s cannot be loaded: %s", path, strerror(errno));
		ret = unload_module(nth);
		ok = !ret;
	}
	result(ok && !hit, "unload %s: of %u allocations, none kept it from going (%lld)", parameters,
	       nth - 2, (long long)ret);
	return 0;
}

/*
 * The store is opened by a kernel thread, which fail-nth does not reach: there one allocation of
 * @interval fails, once.
 */
static void workers_begin(unsigned int interval)
{
	static unsigned long long start, end;

	if (!start && !find_function("job_work", &start, &end))
		bail("/proc/kallsyms has no job_work: luna.ko is not loaded");
	inject_setup(0, 0, start, end);
	write_number("/sys/kernel/debug/failslab/interval", interval);
	write_number("/sys/kernel/debug/fail_page_alloc/interval", interval);
	write_number("/sys/kernel/debug/failslab/times", 1);
	write_number("/sys/kernel/debug/fail_page_alloc/times", 1);
	write_number("/sys/kernel/debug/failslab/probability", 100);
	write_number("/sys/kernel/debug/fail_page_alloc/probability", 100);
}

static bool spent(const char *path)
{
	FILE *file = fopen(path, "r");
	int times = -1;

	if (!file || fscanf(file, "%d", &times) != 1)
		bail("%s: %s", path, strerror(errno));
	fclose(file);
	return !times;
}

static bool workers_end(void)
{
	write_number("/sys/kernel/debug/failslab/probability", 0);
	write_number("/sys/kernel/debug/fail_page_alloc/probability", 0);
	return spent("/sys/kernel/debug/failslab/times") ||
	       spent("/sys/kernel/debug/fail_page_alloc/times");
}

static s64 slot_command(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	s64 ret;

	if (fd < 0)
		bail("%s: %s", path, strerror(errno));
	ret = write(fd, "0", 1) == 1 ? 0 : -errno;
	close(fd);
	return ret;
}

/* Is the token in use, and initialised? */
static bool in_use(void)
{
	struct luna_slot_info info;
	bool ok = !side_open(&a) && !slot_info(&a, &info) &&
		  !(info.token_flags & CKF_ERROR_STATE) && info.token_flags & CKF_TOKEN_INITIALIZED;

	side_close(&a);
	return ok;
}

/* Slot 0 comes while its store's allocations fail; the next time it comes, nothing is lost. */
static int plug(void)
{
	unsigned int interval, refused = 0, broken = 0, tolerated = 0;
	bool ok = !side_open(&a) && !a_init();
	s64 ret;

	side_close(&a);
	for (interval = 1; ok && interval <= PLUGS; interval++) {
		ok = !slot_command("/sys/class/luna/unplug");
		workers_begin(interval);
		ret = slot_command("/sys/class/luna/plug");
		hit = workers_end();
		refused += ret == -ENOMEM;
		if (!ret && !in_use()) {
			broken++;
			ok = ok && !slot_command("/sys/class/luna/unplug");
			ret = -ENOMEM;
		} else {
			tolerated += hit && !ret;
		}
		ok = ok && (!ret || (hit && ret == -ENOMEM));
		ok = ok && (!ret || !slot_command("/sys/class/luna/plug")) && in_use();
		if (!ok)
			printf("# interval %u %s: %lld\n", interval, hit ? "met" : "not met",
			       (long long)ret);
	}
	result(ok && refused && tolerated, "plug: %u slots without memory for the store: %u "
	       "refused, %u out of use, %u did without", interval - 1, refused, broken, tolerated);
	return 0;
}

int main(int argc, char **argv)
{
	inject_open();
	setvbuf(stdout, NULL, _IOLBF, 0);
	only = argc == 3 ? argv[2] : NULL;
	if ((argc == 2 || argc == 3) && !strcmp(argv[1], "commands"))
		commands();
	else if (argc == 4 && !strcmp(argv[1], "load"))
		load(argv[2], argv[3]);
	else if (argc == 4 && !strcmp(argv[1], "unload"))
		unload(argv[2], argv[3]);
	else if (argc == 2 && !strcmp(argv[1], "plug"))
		plug();
	else
		bail("usage: failnth commands [STEP] | load FILE PARAMETERS | unload FILE PARAMETERS | plug");
	printf("1..%u\n", results);
	return failures != 0;
}
