/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the protocols between tokens share (cloning, HA login; PROTOCOLS.md): the frame of a
 * message, keys derived under labels, MACs, and RSA to a peer's and with the token's own wrapping
 * key.
 *
 * Everything that a provider computes on lies on the heap; functions that return a CKR say so, the
 * others return 0 or a negative errno.
 */
#ifndef LUNA_TOKEN_EXCHANGE_H
#define LUNA_TOKEN_EXCHANGE_H

#include "key.h"
#include "wire.h"

enum {
	LUNA_EXCHANGE_HEAD = 8,		/* magic, version, message, flags, zero */
	LUNA_EXCHANGE_KEY = 32,
	LUNA_EXCHANGE_MAC = 32,
	LUNA_EXCHANGE_NONCE = 32,
	LUNA_EXCHANGE_DIGEST = 32,
};

/**
 * struct luna_exchange_self - this token's public identity, copied out of its state
 */
struct luna_exchange_self {
	u8 serial[LUNA_SERIAL_LEN];
	u8 twc_digest[LUNA_EXCHANGE_DIGEST];
	u32 twc_len;
	u8 twc[LUNA_TWC_MAX];
};

/**
 * struct luna_exchange_peer - another token, known by its certificate
 * @bytes: of the modulus
 * @em: room for an encoded message; luna_exchange_encrypt() works in it
 */
struct luna_exchange_peer {
	struct luna_rsa_key *key;
	u32 bytes;
	u8 twc_digest[LUNA_EXCHANGE_DIGEST];
	u8 em[LUNA_RSA_MAX];
};

/* Does the payload fit what luna_blob says about it? Else CKR_ARGUMENTS_BAD. */
bool luna_exchange_blob_ok(const struct luna_ucmd *cmd);

/* Frame of a message; reading returns false if magic, version, message or the zero byte differ. */
void luna_exchange_head_put(struct luna_wr *wr, u32 magic, u8 message, u8 flags);
bool luna_exchange_head_get(struct luna_rd *rd, u32 magic, u8 message, u8 *flags);

/* To be freed with kfree(); ERR_PTR(-ENOMEM, ...) */
struct luna_exchange_self *luna_exchange_self(struct luna_token *token);

/* Replies with the token's certificate. *@given: it was handed out, not only measured. A CKR. */
u32 luna_exchange_reply_twc(struct luna_ucmd *cmd, bool *given);

/* A copy of the token's secrets, for kfree_sensitive(). *@rv is a CKR if it is NULL. */
struct luna_secrets *luna_exchange_secrets(struct luna_token *token, u32 *rv);

/* Check a certificate and prepare its key. *@rv is a CKR if it returns NULL. */
struct luna_exchange_peer *luna_exchange_peer(struct luna_token *token, const u8 *twc, u32 len,
					      u32 *rv);
void luna_exchange_peer_free(struct luna_token *token, struct luna_exchange_peer *peer);

/* peer->em, encoded, becomes its RSA encryption. */
int luna_exchange_encrypt(struct luna_token *token, struct luna_exchange_peer *peer);

/**
 * luna_exchange_decrypt() - raw RSA with the token's wrapping key
 * @em: heap, LUNA_RSA_MAX bytes; the encoded message
 * Return: 0; -EBADMSG if @len or the number does not fit the key (both public).
 */
int luna_exchange_decrypt(struct luna_token *token, const struct luna_secrets *secrets,
			  const u8 *cipher, u32 len, u8 *em);

/* HKDF-SHA256; info is the label's characters, then @context (a digest, or NULL). */
int luna_exchange_derive(struct luna_token *token, const struct luna_num *ikm,
			 const struct luna_num *salt, const char *label, const u8 *context, u8 *out,
			 u32 len);

/* HMAC-SHA256 of @data under the key that luna_exchange_derive() makes of @ikm and @label alone. */
int luna_exchange_mac(struct luna_token *token, const struct luna_num *ikm, const char *label,
		      const u8 *data, u32 len, u8 *mac);

/* The last bytes of @msg are the MAC of the others, or -EBADMSG; in constant time. */
int luna_exchange_mac_check(struct luna_token *token, const struct luna_num *ikm, const char *label,
			    const u8 *msg, u32 len);

#endif /* LUNA_TOKEN_EXCHANGE_H */
