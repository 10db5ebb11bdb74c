// SPDX-License-Identifier: MIT
/*
 * Certificates and DER from elsewhere: a byte of mode, then the DER. A certificate can be signed anew,
 * so that a parser that trusts a signature is met with one that is right.
 */
#include "der.h"
#include "exchange.h"
#include "vector_file.h"

enum {
	TWC_SIGN = 1,
	TWC_PRIVATE = 2,	/* an RSAPrivateKey */
	TWC_PKCS8 = 4,		/* a PrivateKeyInfo */
	TWC_HA = 8,		/* as a challenge's certificate, else as a cloning's */
	TWC_SIGNATURE = 256,
};

static struct luna_rsa_made *made;

/* The key of the certificates that the primary gives; outside of what is counted. */
static void prepare(void)
{
	struct luna_rsa_made *key = vector_rsa("source");

	made = fuzz_alloc(sizeof(*made));
	*made = *key;
	kfree_sensitive(key);
	fuzz_world_prepare();
}

/* Signs what stands where a TBSCertificate should. */
static void sign(struct fuzz_message *twc)
{
	const struct luna_crypto_ops *c = fuzz_crypto();
	struct luna_rsa_nums nums = {
		{ made->n, 256 }, { (const u8 *)"\1\0\1", 3 }, { made->d, 256 }, { made->p, 128 },
		{ made->q, 128 }, { made->dp, 128 }, { made->dq, 128 }, { made->qi, 128 },
	};
	struct luna_rsa_key *key;
	u8 digest[32], *em;
	u32 len;

	len = twc->len > 4 ? luna_der_size(twc->data + 4, twc->len - 4) : 0;
	if (twc->len < TWC_SIGNATURE + 4)
		return;
	em = fuzz_alloc(TWC_SIGNATURE);
	key = c->rsa_key(&nums);
	fuzz_check(!IS_ERR(key));
	fuzz_check(!luna_hash_once(c, LUNA_SHA256, twc->data + 4, len, digest));
	fuzz_check(!luna_pkcs1_pad_sign(LUNA_SHA256, digest, sizeof(digest), em, TWC_SIGNATURE));
	fuzz_check(!c->rsa_private(key, em, twc->data + twc->len - TWC_SIGNATURE));
	c->rsa_key_free(key);
	free(em);
}

static void as_certificate(u8 mode, struct fuzz_message *twc)
{
	struct fuzz_side *side = &fuzz_world.sides[FUZZ_SECONDARY];
	struct luna_blob arg = { .role = CKU_USER };
	static struct fuzz_message reply;

	fuzz_world_open(false);
	if (mode & TWC_SIGN)
		sign(twc);
	if (mode & TWC_HA) {
		fx_logout(side->open, side->session);
		fuzz_step(side, LUNA_HA_CHALLENGE, &arg, twc->data, twc->len, &reply);
	} else {
		arg.role = 0;
		fuzz_step(side, LUNA_CLONE_TARGET_INIT, &arg, twc->data, twc->len, &reply);
	}
	fuzz_world_close();
}

/* What was read is written again as it was, since there is one DER of a key. */
static void as_key(u8 mode, const struct fuzz_message *der)
{
	bool pkcs8 = mode & TWC_PKCS8;
	struct luna_der_rsa key = { 0 };
	u8 *exact = fuzz_alloc(der->len), *out = fuzz_alloc(der->len);
	int len;

	memcpy(exact, der->data, der->len);
	if (pkcs8 ? !luna_der_pkcs8_rsa_parse(exact, der->len, &key) :
		    !luna_der_rsa_private_parse(exact, der->len, &key)) {
		len = pkcs8 ? luna_der_pkcs8_rsa(&key, out, der->len) :
			      luna_der_rsa_private(&key, out, der->len);
		/* PKCS#8 may have attributes behind the key, which are not kept. */
		fuzz_check(len > 0 && (u32)len <= der->len);
		fuzz_check(pkcs8 || ((u32)len == der->len && !memcmp(out, exact, len)));
	}
	free(exact);
	free(out);
}

static void one(struct fuzz_in *in)
{
	static struct fuzz_message message;
	u8 mode = fuzz_u8(in);

	fuzz_rest(in, &message);
	if (mode & (TWC_PRIVATE | TWC_PKCS8))
		as_key(mode, &message);
	else
		as_certificate(mode, &message);
}

static void seeds(void)
{
	struct luna_der_rsa key = {
		.n = { made->n, 256 }, .e = { (const u8 *)"\1\0\1", 3 }, .d = { made->d, 256 },
		.p = { made->p, 128 }, .q = { made->q, 128 }, .dp = { made->dp, 128 },
		.dq = { made->dq, 128 }, .qi = { made->qi, 128 },
	};
	static struct fuzz_message message;

	fuzz_world_open(false);
	fuzz_check(!fuzz_step(&fuzz_world.sides[FUZZ_PRIMARY], LUNA_HA_MASTER_PUBLIC,
			      &(struct luna_blob){ 0 }, NULL, 0, &message));
	fuzz_seed_message("twc", 0, &message, 0);
	fuzz_seed_message("twc-signed", TWC_SIGN, &message, 0);
	fuzz_seed_message("twc-ha", TWC_SIGN | TWC_HA, &message, 0);
	fuzz_world_close();
	message.len = luna_der_rsa_private(&key, message.data, sizeof(message.data));
	fuzz_seed_message("private", TWC_PRIVATE, &message, 0);
	message.len = luna_der_pkcs8_rsa(&key, message.data, sizeof(message.data));
	fuzz_seed_message("pkcs8", TWC_PKCS8, &message, 0);
}

const struct fuzz_target fuzz_target = { prepare, one, seeds };
