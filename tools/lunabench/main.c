// SPDX-License-Identifier: MIT
/* lunabench: operations of a token beside a peer's and beside the limit, in one run, as ratios. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

struct options {
	const char *module, *peer, *device, *only;
	unsigned int threads, rounds, objects;
	double seconds;
	bool erase, json;
};

static void usage(FILE *to)
{
	fputs("Usage: lunabench --erase [options]\n"
	      "Measures the first token of the module. The token is initialised: all it holds is lost,\n"
	      "which is why --erase has to be given. Times are medians of interleaved rounds, in\n"
	      "microseconds; compare the ratios, not the times.\n\n"
	      "  --module PATH    our library (default: the one built with it, or libluna.so)\n"
	      "  --peer PATH      another PKCS#11 module; 'none' (default: libsofthsm2.so)\n"
	      "  --device PATH    device for the bare round trip (default: luna0 in $LUNA_DEVICES)\n"
	      "  --threads N      threads of the concurrent run (default 2)\n"
	      "  --objects N      also search among N token objects (default 0: only among 10)\n"
	      "  --rounds N       rounds of each target (default 7)\n"
	      "  --seconds S      length of a round (default 0.2)\n"
	      "  --only TEXT      only the operations whose name has this text\n"
	      "  --json           one JSON object a line\n"
	      "  --help\n", to);
}

static struct options parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "module", 1, NULL, 'm' }, { "peer", 1, NULL, 'p' }, { "device", 1, NULL, 'd' },
		{ "threads", 1, NULL, 't' }, { "objects", 1, NULL, 'o' }, { "rounds", 1, NULL, 'r' },
		{ "seconds", 1, NULL, 's' }, { "erase", 0, NULL, 'e' }, { "json", 0, NULL, 'j' },
		{ "only", 1, NULL, 'y' }, { "help", 0, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	struct options o = { .module = LUNA_LIBRARY_PATH, .peer = "/usr/lib/softhsm/libsofthsm2.so",
			     .threads = 2, .rounds = 7, .seconds = 0.2 };
	int c;

	if (access(o.module, R_OK))	/* installed, and the build tree is gone */
		o.module = "libluna.so";

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'm': o.module = optarg; break;
		case 'p': o.peer = strcmp(optarg, "none") ? optarg : NULL; break;
		case 'd': o.device = optarg; break;
		case 't': o.threads = strtoul(optarg, NULL, 10); break;
		case 'o': o.objects = strtoul(optarg, NULL, 10); break;
		case 'r': o.rounds = strtoul(optarg, NULL, 10); break;
		case 's': o.seconds = strtod(optarg, NULL); break;
		case 'y': o.only = optarg; break;
		case 'e': o.erase = true; break;
		case 'j': o.json = true; break;
		case 'h': usage(stdout); exit(0);
		default: usage(stderr); exit(2);
		}
	}
	if (!o.erase || !o.rounds || !o.threads || o.threads > BENCH_MAX_THREADS || o.seconds <= 0) {
		usage(stderr);
		exit(2);
	}
	return o;
}

static void cell(double value, const char *format)
{
	if (value < 0)
		printf("%10s", "-");
	else
		printf(format, value);
}

static double ratio(double a, double b)
{
	return a > 0 && b > 0 ? a / b : -1;
}

static void print_row(const struct options *o, const char *name, unsigned int threads,
		      const struct bench_target t[3])
{
	if (o->json) {
		printf("{\"operation\":\"%s\",\"threads\":%u,\"luna_us\":%.3f,\"peer_us\":%.3f,"
		       "\"limit_us\":%.3f}\n", name, threads, t[0].median, t[1].median, t[2].median);
		fflush(stdout);
		return;
	}
	printf("%-36s %2u", name, threads);
	cell(t[0].median, "%10.2f");
	cell(t[1].median, "%10.2f");
	cell(t[2].median, "%10.2f");
	cell(ratio(t[1].median, t[0].median), "%9.2fx");
	cell(ratio(t[2].median, t[0].median), "%9.2fx");
	printf("  %s\n", t[2].row->name ? t[2].row->name : "");
	fflush(stdout);
}

static double bench_row(const struct options *o, size_t row, unsigned int threads,
			struct bench_token *luna, struct bench_token *peer, struct bench_limits *limits,
			const char *suffix)
{
	static const struct bench_row none = { NULL, NULL };
	struct bench_target t[3] = {
		{ .target = luna, .row = &token_rows[row] },
		{ .target = peer, .row = peer ? &token_rows[row] : &none },
		{ .target = limits, .row = &limit_rows[row] },
	};
	char name[80];

	if (threads > 1 && limit_rows[row].name && strcmp(limit_rows[row].name, "OpenSSL") == 0 &&
	    row != BENCH_SIGN)
		t[2].row = &none;
	measure(t, 3, threads, o->rounds, o->seconds);
	snprintf(name, sizeof(name), "%s%s", token_rows[row].name, suffix);
	print_row(o, name, threads, t);
	return t[0].median;
}

/* Resident kilobytes of the daemon whose pid the environment names; 0: unknown. */
static unsigned long daemon_rss(void)
{
	const char *pid = getenv("LUNA_TEST_DAEMON_PID");
	char path[64], line[128];
	unsigned long kb = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/status", pid ? pid : "none");
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %lu", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb;
}

/* The search again with many objects on our token alone: what the number of objects costs. */
static void bench_objects(const struct options *o, struct bench_token *luna,
			  struct bench_limits *limits, double among_few)
{
	unsigned long before = daemon_rss(), after;
	char suffix[32];
	double many;

	token_add_keys(luna, o->objects, 10);
	after = daemon_rss();
	snprintf(suffix, sizeof(suffix), " among %u", o->objects + 10);
	many = bench_row(o, BENCH_FIND, 1, luna, NULL, limits, suffix);
	if (o->json)
		printf("{\"objects\":%u,\"find_ratio\":%.3f,\"bytes_per_object\":%.0f}\n", o->objects,
		       many / among_few, before ? (after - before) * 1024.0 / o->objects : -1.0);
	else
		printf("search among %u / among 10: %.2f; daemon memory per AES key: %.0f bytes\n",
		       o->objects + 10, many / among_few,
		       before ? (after - before) * 1024.0 / o->objects : -1.0);
}

/* One Init for all messages beside an Init for each, and the round trip that both need, in turns. */
static void bench_messages(const struct options *o, struct bench_token *luna,
			   struct bench_limits *limits)
{
	struct bench_target t[3] = {
		{ .target = luna, .row = &token_rows[BENCH_MESSAGE] },
		{ .target = luna, .row = &token_rows[BENCH_ENCRYPT] },
		{ .target = limits, .row = &limit_rows[BENCH_MESSAGE] },
	};

	measure(t, 3, 1, o->rounds, o->seconds);
	if (o->json)
		printf("{\"message_us\":%.3f,\"encrypt_us\":%.3f,\"round_trip_us\":%.3f,"
		       "\"message_ratio\":%.3f}\n", t[0].median, t[1].median, t[2].median,
		       ratio(t[0].median, t[1].median));
	else
		printf("EncryptMessage / Init+Encrypt / bare round trip: %.2f, %.2f, %.2f; the first "
		       "is %.2f of the second\n", t[0].median, t[1].median, t[2].median,
		       ratio(t[0].median, t[1].median));
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	double us[BENCH_OPERATIONS] = { 0 };
	const char *dir = getenv("LUNA_DEVICES");
	struct bench_token luna, peer_token, *peer = NULL;
	struct bench_limits *limits;
	char device[256];
	size_t i;

	snprintf(device, sizeof(device), "%s/luna0", dir ? dir : "/dev");
	limits = limits_new(o.device ? o.device : device);
	token_load(&luna, "luna", o.module);
	token_prepare(&luna, 0, o.threads);
	token_add_keys(&luna, 10, 0);
	if (o.peer && access(o.peer, R_OK) == 0) {
		token_softhsm_config();
		peer = &peer_token;
		token_load(peer, "peer", o.peer);
		token_prepare(peer, 0, o.threads);
		token_add_keys(peer, 10, 0);
	}
	if (!o.json)
		printf("%-36s %2s%10s%10s%10s%10s%10s\n", "microseconds per operation", "th", "luna",
		       "peer", "limit", "peer/luna", "limit/luna");
	for (i = 0; i < BENCH_OPERATIONS; i++) {
		if (o.only && !strstr(token_rows[i].name, o.only))
			continue;
		us[i] = bench_row(&o, i, 1, &luna, peer, limits, "");
		if (o.threads > 1)
			bench_row(&o, i, o.threads, &luna, peer, limits, "");
	}
	if (us[BENCH_MESSAGE] > 0)
		bench_messages(&o, &luna, limits);
	if (o.objects)
		bench_objects(&o, &luna, limits, us[BENCH_FIND]);
	if (peer)
		token_unload(peer);
	token_unload(&luna);
	limits_free(limits);
	return 0;
}
