// SPDX-License-Identifier: MIT
/*
 * luna-fuse: tokens of the engine as files of a FUSE mount.
 *
 * The order of starting matters: the store is locked before anything is touched, the mount is made
 * before memory is protected (fusermount3 helps with it), the process locks itself in (sandbox.h),
 * and only then a token is read. No process is started once one is. Whether AF_ALG is there is seen
 * before all that, in front of the user.
 */
#define FUSE_USE_VERSION 314

#include <errno.h>
#include <fuse_lowlevel.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "crypto_kcapi.h"
#include "crypto_openssl.h"
#include "daemonize.h"
#include "device.h"
#include "memory.h"
#include "mount.h"
#include "options.h"
#include "path.h"
#include "report.h"
#include "sandbox.h"
#include "store_dir.h"
#include "store_file.h"
#include "version.h"

/* A key pair keeps a thread busy for long. Making threads is dear, so a good number stays idle. */
enum { THREADS_MAX = 48, THREADS_SLOT = 16, THREADS_IDLE = 16 };

/**
 * struct host - everything that main() has to give back
 */
struct host {
	struct options options;
	const struct luna_crypto_ops *crypto;
	struct store_dir *store;
	struct store_file *files[SLOTS_MAX];
	struct luna_token *tokens[SLOTS_MAX];
	struct device_set devices;
};

static int open_token(struct host *host, u32 slot)
{
	const struct luna_config config = {
		.slot = slot,
		.host = "luna-fuse " LUNA_VERSION,
		.flags = host->options.lax_ha_keys ? LUNA_CONFIG_LAX_HA_KEYS : 0,
		.pin_iterations = host->options.pin_iterations,
	};
	struct store_file *file = store_file_open(host->store, slot);
	struct luna_token *token;

	if (IS_ERR(file))
		return PTR_ERR(file);
	token = luna_token_open(&config, host->crypto, &store_file_ops, file);
	if (IS_ERR(token)) {
		report(REPORT_ERROR, "cannot load token %u: %s", slot, strerror(-PTR_ERR(token)));
		store_file_close(file);
		return PTR_ERR(token);
	}
	host->files[slot] = file;
	host->tokens[slot] = token;
	host->devices.count = slot + 1;
	return 0;
}

/* Says why it cannot start. */
static int start_openssl(void)
{
	int err = luna_openssl_start();

	if (err)
		report(REPORT_ERROR, "this OpenSSL lacks what luna-fuse needs (its default provider)");
	return err;
}

static int open_tokens(struct host *host)
{
	int err = 0;

	for (u32 slot = 0; slot < host->options.slots && !err; slot++)
		err = open_token(host, slot);
	return err;
}

static void close_tokens(struct host *host)
{
	device_release_all(&host->devices);
	for (u32 slot = 0; slot < host->devices.count; slot++) {
		luna_token_close(host->tokens[slot]);
		store_file_close(host->files[slot]);
	}
}

static int run_loop(struct fuse_session *session, u32 slots)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int status;

	if (!config)
		return -ENOMEM;
	/* Key generations, of which a token runs up to 16, leave threads for everything else. */
	fuse_loop_cfg_set_max_threads(config, THREADS_MAX + slots * THREADS_SLOT);
	fuse_loop_cfg_set_idle_threads(config, THREADS_IDLE);
	status = fuse_session_loop_mt(session, config);
	fuse_loop_cfg_destroy(config);
	if (status < 0)
		report(REPORT_ERROR, "cannot serve: %s", strerror(-status));
	else
		report(REPORT_INFO, status ? "ended by signal %d" : "unmounted", status);
	return status < 0 ? status : 0;
}

/* What a store contains may be hostile already. */
static int lock_in(struct host *host)
{
	const enum sandbox_mode mode = host->options.sandbox;
	int err = mode == SANDBOX_OFF ? 0 : mount_helper_start(host->options.dir);

	memory_protect();
	if (!err)
		err = start_openssl();
	return err ? err : sandbox_enter(mode, host->store->fd);
}

static int serve_mounted(struct host *host, struct fuse_session *session)
{
	int err = lock_in(host);

	if (!err)
		err = open_tokens(host);
	if (!err)
		err = run_loop(session, host->devices.count);
	mount_end(session);
	close_tokens(host);
	return err;
}

/* Once the handlers are set, a signal ends the loop and not the process, which is to unmount. */
static int serve(struct host *host)
{
	struct fuse_session *session = device_session(&host->devices);
	int err;

	if (!session)
		return -ENOMEM;
	/* A file over a limit is an error of the call then, and not the end of all tokens. */
	signal(SIGXFSZ, SIG_IGN);
	err = fuse_set_signal_handlers(session);
	if (!err) {
		err = mount_session(session, host->options.dir);
		if (!err)
			err = serve_mounted(host, session);
		fuse_remove_signal_handlers(session);
	}
	fuse_session_destroy(session);
	return err;
}

static int run(struct host *host)
{
	int err;

	host->store = store_dir_open(host->options.store);
	if (IS_ERR(host->store))
		return PTR_ERR(host->store);
	err = mount_prepare(host->options.dir);
	if (!err)
		err = serve(host);
	store_dir_close(host->store);
	return err;
}

/* Whoever started us may use the tokens as soon as this returns. */
static int check_mounted(const struct options *options)
{
	char *path = path_under(options->dir, "luna0");
	struct stat st;
	int err = path && !stat(path, &st) ? 0 : -errno;

	if (err)
		report(REPORT_ERROR, "%s does not answer: %s", options->dir, strerror(-err));
	free(path);
	return err;
}

/* AF_ALG and its parts are modules, which the kernel loads by itself if it may and has them. */
static int choose_crypto(struct host *host)
{
	host->crypto = host->options.kcapi ? luna_kcapi_start() : &luna_openssl_ops;
	if (!IS_ERR(host->crypto))
		return 0;
	switch (PTR_ERR(host->crypto)) {
	case -EAFNOSUPPORT:
		report(REPORT_ERROR,
		       "--crypto=kcapi needs AF_ALG, which this kernel does not offer: \"modprobe -a af_alg algif_hash algif_skcipher algif_rng\" as root may load it, if the kernel was built with CONFIG_CRYPTO_USER_API_HASH, _SKCIPHER and _RNG; or use --crypto=openssl");
		break;
	case -ENOENT:
		report(REPORT_ERROR,
		       "--crypto=kcapi: this kernel has AF_ALG, but none of the algorithms (--verbose lists them): \"modprobe -a algif_hash algif_skcipher algif_rng\" as root may load them, unless /etc/modprobe.d or the sysctl crypto.af_alg_restrict bars them; or use --crypto=openssl");
		break;
	case -EIO:
		return start_openssl();
	default:
		report(REPORT_ERROR, "--crypto=kcapi: %s", strerror(-PTR_ERR(host->crypto)));
	}
	return PTR_ERR(host->crypto);
}

static int start(struct host *host)
{
	int forked = choose_crypto(host);

	if (!forked && !host->options.foreground)
		forked = daemonize_fork();
	if (forked > 0)
		return check_mounted(&host->options);
	return forked < 0 ? forked : run(host);
}

int main(int argc, char **argv)
{
	static struct host host;
	int status;

	daemonize_standard_files();
	memory_prepare();
	umask(077);
	if (options_parse(&host.options, argc, argv, &status))
		return status;
	report_start(host.options.verbose);
	luna_openssl_set_cancel(device_cancelled);
	host.devices.tokens = host.tokens;
	host.devices.ready = daemonize_ready;
	status = start(&host) ? EXIT_FAILURE : EXIT_SUCCESS;
	options_free(&host.options);
	return status;
}
