/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share: the entry of libFuzzer, tokens that every input meets in the same state,
 * and a look at every reply.
 *
 * All chance is gone: random numbers, RSA keys (tests/vectors/keys.txt) and the clock are the same for
 * every input, so that a file of the corpus does the same today and tomorrow.
 */
#ifndef LUNA_FUZZ_COMMON_H
#define LUNA_FUZZ_COMMON_H

#include "attr.h"
#include "engine_fixture.h"

/* Ends the process, which is how libFuzzer learns of a finding. */
#define fuzz_check(condition)	((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_fail(const char *what, const char *file, int line);

/* Memory that is not the engine's: not counted by port_alloc_watch(). Never NULL. */
void *fuzz_alloc(size_t len);

/* ---- the input, from its beginning to its end; zeros behind that. Numbers: low byte first ---- */

struct fuzz_in {
	const u8 *at;
	size_t left;
};

u8 fuzz_u8(struct fuzz_in *in);
u16 fuzz_u16(struct fuzz_in *in);
u32 fuzz_u32(struct fuzz_in *in);
/* Up to @want bytes; *@len: how many there are */
const u8 *fuzz_bytes(struct fuzz_in *in, size_t want, size_t *len);

/**
 * struct fuzz_target - what one program fuzzes
 * @prepare: once, before the first input; may be NULL
 * @one: takes one input; frees what it makes, or the input counts as a finding
 * @seeds: hands inputs that go deep to fuzz_seed()
 */
struct fuzz_target {
	void (*prepare)(void);
	void (*one)(struct fuzz_in *in);
	void (*seeds)(void);
};

extern const struct fuzz_target fuzz_target;

/* fuzz_seed() - write a file of the corpus; only in fuzz_target.seeds() */
void fuzz_seed(const char *name, const void *data, size_t len);

/* ---- tokens ---- */

enum {
	FUZZ_PRIMARY,		/* also the source of a cloning */
	FUZZ_SECONDARY,		/* also the target */
	FUZZ_SIDES,
	FUZZ_VECTORS = 3,	/* M of N vectors; two are needed */
	FUZZ_VECTOR = 48,
	FUZZ_MESSAGE = 16 * 1024,
};

/**
 * struct fuzz_side - a token
 * @image: the store that every input starts from
 * @open, @session: an application whose session is logged in as CO
 */
struct fuzz_side {
	struct fx fx;
	struct memstore *image;
	struct luna_open *open;
	u32 session;
};

struct fuzz_message {
	u32 len;
	u8 data[FUZZ_MESSAGE];
};

/**
 * struct fuzz_world - two tokens of one domain, as they were prepared
 * Handles: an AES key and a data object on the primary, both private, extractable and modifiable; the
 * login key pair on the primary, its private key's clone on the secondary, which is set up with it. The
 * secondary shares the primary's M of N secret; fuzz_world_open() can let it require that.
 */
struct fuzz_world {
	struct fuzz_side sides[FUZZ_SIDES];
	u32 aes, data, login_public, login, login_clone;
	u8 vectors[FUZZ_VECTORS * (4 + FUZZ_VECTOR)];
};

extern struct fuzz_world fuzz_world;

/* The provider: OpenSSL, the keys of keys.txt in turn, PBKDF2 of one round. */
const struct luna_crypto_ops *fuzz_crypto(void);

/* fuzz_crypto_plain() - until the end of this input the engine builds GCM and checks RSA by itself */
void fuzz_crypto_plain(void);

/* fuzz_world_prepare() - make the images; in fuzz_target.prepare() */
void fuzz_world_prepare(void);

/* fuzz_world_open() - both tokens, loaded from their images, the CO logged in */
void fuzz_world_open(bool mofn_required);
void fuzz_world_close(void);

/* fuzz_side_open() - the token in @store, which it takes; nobody is logged in, nothing is open */
void fuzz_side_open(struct fuzz_side *side, u32 slot, struct memstore *store);
void fuzz_side_close(struct fuzz_side *side);
/* An application with a read-write session; CO logged in if that works. */
void fuzz_side_login(struct fuzz_side *side);

/* ---- commands ---- */

/**
 * fuzz_ioctl() - one command in buffers of exactly @len bytes, and a look at what came
 * The request must be left alone. The result must be one of the documented errnos and return values.
 * Nothing behind the reply may be anything but what the host had there, or zeros; nothing in it may be
 * what the host had there.
 *
 * Return: the errno, 0 with *@out_len bytes in @reply (@len bytes of room)
 */
int fuzz_ioctl(struct luna_open *open, u32 nr, const void *request, size_t len, void *reply,
	       size_t *out_len);

/* fuzz_call() - the same with struct and payload apart, as fx_call(); @out may be NULL */
s64 fuzz_call(struct luna_open *open, u32 nr, void *arg, size_t size, const void *in, size_t in_len,
	      void *out, size_t *out_len);

/* fuzz_step() - a step of cloning or HA login; @out may be NULL. Return: as fuzz_call() */
s64 fuzz_step(struct fuzz_side *side, u32 nr, struct luna_blob *arg, const void *in, size_t in_len,
	      struct fuzz_message *out);

/* fuzz_size() - bytes of the struct of command @nr; 0: there is none */
u32 fuzz_size(u32 nr);

/* ---- vocabulary ---- */

/* fuzz_mechanism() - a mechanism that the engine knows, by any number; and the number of one */
u32 fuzz_mechanism(u16 number);
u16 fuzz_mechanism_number(u32 type);

/* fuzz_mechanism_at() - all of them by index */
u32 fuzz_mechanism_count(void);
u32 fuzz_mechanism_at(u32 index);

/* fuzz_attribute() - an attribute type that the engine knows, by any number */
u32 fuzz_attribute(u32 number);

/* What a template may begin with: enough for C_CreateObject, C_GenerateKey, C_GenerateKeyPair */
enum fuzz_preset {
	FUZZ_PRESET_AES, FUZZ_PRESET_DATA, FUZZ_PRESET_RSA, FUZZ_PRESET_LENGTH, FUZZ_PRESET_DES3,
	FUZZ_PRESET_XTS, FUZZ_PRESET_P256, FUZZ_PRESET_25519,
};

/*
 * fuzz_template() - attributes described by a few bytes each
 * The first says how many, 0 to 7, and from bit 4 on, where bit 7 is set, which preset they follow; bit
 * 3: it is for a token object.
 */
void fuzz_template(struct fuzz_in *in, struct fx_tmpl *tmpl);

#define FUZZ_TEMPLATE(preset)	(0x80 | (preset) << 4)

/* fuzz_use() - look a token over: information, login, every object, one new, restart */
void fuzz_use(struct fuzz_side *side);

#endif /* LUNA_FUZZ_COMMON_H */
