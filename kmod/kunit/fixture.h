/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Tokens in memory for tests, and commands to them in the ABI's own terms: for the KUnit suites and
 * for the unit tests of user space. The engine gets buffers of the exact size, so that KASAN and
 * AddressSanitizer see a byte too many.
 */
#ifndef LUNA_KUNIT_FIXTURE_H
#define LUNA_KUNIT_FIXTURE_H

#include "engine.h"
#include "fakerng.h"
#include "host.h"
#include "memstore.h"

#include <luna/ck_values.h>
#include <uapi/luna.h>

#define FX_SO_PIN	"so-pin-for-tests"
#define FX_CO_PIN	"co-pin-for-tests"
#define FX_CU_PIN	"cu-pin-for-tests"
#define FX_DOMAIN	"domain-for-tests"
#define FX_LABEL	"token-for-tests"

/**
 * struct fx - a token over a store in memory
 * @store: belongs to the fixture
 * @warnings: luna_test_warnings() at the start; fx_close() fails a test that raised it
 */
struct fx {
	struct luna_config config;
	const struct luna_crypto_ops *crypto;
	struct memstore *store;
	struct luna_token *token;
	unsigned int warnings;
};

/* fx_open() - a fresh token in @slot; @crypto NULL: luna_test_crypto() */
void fx_open(struct fx *fx, const struct luna_crypto_ops *crypto, u32 slot);
/* fx_open_store() - the token in @store, which the fixture takes */
void fx_open_store(struct fx *fx, const struct luna_crypto_ops *crypto, u32 slot,
		   struct memstore *store);
/* fx_reopen() - close the token and load it again from the same store, as a restart does */
void fx_reopen(struct fx *fx);
void fx_close(struct fx *fx);

/**
 * fx_call() - carry a command
 * @arg: the command's struct, @size bytes; hdr.size and hdr.in_len are filled in, the reply is written back
 * @in, @in_len: payload; staged when it does not fit one buffer and hdr.session is set
 * @out: room of *@out_len bytes for the payload of the reply, what the engine spilled included; NULL: none
 *
 * Return: hdr.rv (CKR_*), or the negative errno.
 */
s64 fx_call(struct luna_open *open, u32 nr, void *arg, size_t size, const void *in, size_t in_len,
	    void *out, size_t *out_len);

/* A template being built, in the ABI's form. In the kernel it is too large for the stack. */
struct fx_tmpl {
	u32 len;
	u8 data[8192];
};

void fx_attr(struct fx_tmpl *tmpl, u32 type, const void *value, u32 len);
void fx_attr_bool(struct fx_tmpl *tmpl, u32 type, bool value);
void fx_attr_ulong(struct fx_tmpl *tmpl, u32 type, u64 value);
void fx_attr_text(struct fx_tmpl *tmpl, u32 type, const char *value);
void fx_attrs(struct fx_tmpl *tmpl, const struct fx_tmpl *more);	/* NULL: none */

/* Each is one command and returns what fx_call() does. PINs and texts are NUL-terminated. */
s64 fx_init_token(struct luna_open *open, u32 type, const char *so_pin, const char *domain);
s64 fx_init_token_flags(struct luna_open *open, u32 type, const char *so_pin, const char *domain,
			u32 flags);	/* LUNA_INIT_* */
s64 fx_session(struct luna_open *open, bool rw, u32 *session);
s64 fx_session_close(struct luna_open *open, u32 session);
s64 fx_login(struct luna_open *open, u32 session, u32 role, const char *pin);
s64 fx_logout(struct luna_open *open, u32 session);
s64 fx_init_pin(struct luna_open *open, u32 session, u32 role, const char *pin);
s64 fx_set_pin(struct luna_open *open, u32 session, const char *old, const char *new);
s64 fx_create(struct luna_open *open, u32 session, const struct fx_tmpl *tmpl, u32 *handle);
s64 fx_destroy(struct luna_open *open, u32 session, u32 handle);
s64 fx_attr_set(struct luna_open *open, u32 session, u32 handle, const struct fx_tmpl *tmpl);
/* *@len: in: room, out: bytes of the value, LUNA_ATTR_UNAVAILABLE if there is none */
s64 fx_attr_get(struct luna_open *open, u32 session, u32 handle, u32 type, void *value, u32 *len);
s64 fx_find(struct luna_open *open, u32 session, const struct fx_tmpl *tmpl, u32 *handles, u32 max,
	    u32 *count);
s64 fx_generate_key(struct luna_open *open, u32 session, u32 mechanism, const struct fx_tmpl *tmpl,
		    u32 *handle);
s64 fx_generate_pair(struct luna_open *open, u32 session, u32 mechanism, const struct fx_tmpl *pub,
		     const struct fx_tmpl *priv, u32 *pub_handle, u32 *priv_handle);
s64 fx_derive(struct luna_open *open, u32 session, u32 mechanism, const void *param, u32 param_len,
	      u32 base, const struct fx_tmpl *tmpl, u32 *handle);

/**
 * fx_op() - Init and the whole call in one command
 * @sig: VERIFY: the signature; else NULL
 * *@out_len: in: out_max of the call, out: out_need
 */
s64 fx_op(struct luna_open *open, u32 session, u32 op, u32 mechanism, u32 key, const void *param,
	  u32 param_len, const void *data, u32 data_len, const void *sig, u32 sig_len, void *out,
	  u32 *out_len);

/**
 * fx_messages() - an operation of messages: begin it, whatever was there before, and do one twice
 * @op: LUNA_OP_MESSAGE_ENCRYPT: AES-GCM, IVs made by the token (CKG_GENERATE_COUNTER), with a tag of
 *	16 bytes; MESSAGE_SIGN: @mechanism
 * @param: of @mechanism; none for ENCRYPT
 * @out: the second message's output, @out_len bytes of room
 */
s64 fx_messages(struct luna_open *open, u32 session, u32 op, u32 mechanism, u32 key,
		const void *param, u32 param_len, const void *data, u32 data_len, void *out,
		u32 out_len);

/* fx_blob() - one step of cloning or HA login; @blob holds the scalars. *@out_len as for fx_op() */
s64 fx_blob(struct luna_open *open, u32 nr, struct luna_blob *blob, const void *in, u32 in_len,
	    void *out, u32 *out_len);

/**
 * fx_clone() - all four steps between two tokens
 * Return: the first result that is not CKR_OK.
 */
s64 fx_clone(struct luna_open *source, u32 source_session, struct luna_open *target,
	     u32 target_session, u32 handle, u32 *clone);

/**
 * fx_ready() - a fresh PPSO token made usable: initialised, CO PIN set, one open file with a
 * read-write session logged in as CO
 * Return: the first result that is not CKR_OK; *@open is NULL or to be released in any case.
 */
s64 fx_ready(struct fx *fx, struct luna_open **open, u32 *session);

#endif /* LUNA_KUNIT_FIXTURE_H */
