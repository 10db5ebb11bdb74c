// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Images: export and import of a token as a whole (FORMAT.md, "Image").
 *
 * What a PIN opens is in an image, so that whoever has the image can try PINs, uncounted, and
 * whoever knows one has the keys, extractable or not. An image is therefore sealed under the
 * cloning domain, and made for those alone who could clone everything: it gives away what cloning
 * does, and no more.
 *
 * An image that comes in may have been made by anyone: its domain and its PINs are then the
 * maker's. So all of it is verified, down to the last attribute, which is why it takes one of its
 * PINs; and it replaces a token that is there only for that token's SO, who could erase it anyway.
 */
#include "clone.h"
#include "cmd.h"
#include "image.h"
#include "log.h"
#include "object.h"
#include "policy.h"
#include "role.h"
#include "session.h"
#include "token_init.h"
#include "wire.h"

/* The hosts' own limit; an image must not ask for more. */
enum { PIN_ITERATIONS_MAX = 100000000 };

static const u8 image_magic[8] = { 'L', 'U', 'N', 'A', 'I', 'M', 'G', '\n' };
static const char image_label[] = "luna token image, version 1";

/* ---- header and key ---- */

/**
 * struct image_keys - what is made of the domain and the header; wiped
 * @made: the key, and behind it the check value, by which another domain is told from damage
 */
struct image_keys {
	u8 domain[LUNA_DOMAIN_LEN];
	u8 salt[LUNA_IMAGE_SALT];
	u8 digest[LUNA_EXCHANGE_DIGEST];
	u8 made[LUNA_IMAGE_KEY + LUNA_IMAGE_CHECK];
};

enum { HEAD_VERSION = 8, HEAD_LENGTH = 16, HEAD_SALT = 24, HEAD_CRC = LUNA_IMAGE_HEAD - 4 };

/* The key of an image with this header; @keys has the domain. */
static struct luna_aes_key *image_key(struct luna_token *token, struct image_keys *keys,
				      const u8 *head)
{
	struct luna_num ikm = { keys->domain, sizeof(keys->domain) };
	struct luna_num salt = { keys->salt, sizeof(keys->salt) };
	int err;

	memcpy(keys->salt, head + HEAD_SALT, sizeof(keys->salt));
	err = luna_hash_once(token->crypto, LUNA_SHA256, head, LUNA_IMAGE_SAID, keys->digest);
	if (!err)
		err = luna_exchange_derive(token, &ikm, &salt, image_label, keys->digest,
					   keys->made, sizeof(keys->made));
	return err ? ERR_PTR(err) : token->crypto->aes_key(keys->made, LUNA_IMAGE_KEY);
}

/* All of the header but its check value and CRC. */
static int head_begin(struct luna_token *token, struct luna_image *image, u8 *salt)
{
	u64 frames = image->count;
	struct luna_wr wr;
	int err = token->crypto->random(salt, LUNA_IMAGE_SALT);

	if (err)
		return err;
	luna_wr_init(&wr, image->head, sizeof(image->head));
	luna_wr_bytes(&wr, image_magic, sizeof(image_magic));
	luna_wr_le32(&wr, LUNA_IMAGE_VERSION);
	luna_wr_le32(&wr, 0);
	luna_wr_le64(&wr, LUNA_IMAGE_HEAD + image->len + frames * LUNA_SEAL_OVERHEAD);
	luna_wr_bytes(&wr, salt, LUNA_IMAGE_SALT);
	guard(rwsem_read)(&token->lock);
	luna_wr_bytes(&wr, token->state->label, LUNA_LABEL_LEN);
	luna_wr_bytes(&wr, token->state->serial, LUNA_SERIAL_LEN);
	return 0;
}

static void head_end(struct luna_image *image, const struct image_keys *keys)
{
	struct luna_wr wr;

	luna_wr_init(&wr, image->head + LUNA_IMAGE_SAID, LUNA_IMAGE_HEAD - LUNA_IMAGE_SAID);
	luna_wr_bytes(&wr, keys->made + LUNA_IMAGE_KEY, LUNA_IMAGE_CHECK);
	luna_wr_le32(&wr, 0);
	luna_wr_le32(&wr, luna_crc32(image->head, HEAD_CRC));
	image->head_len = LUNA_IMAGE_HEAD;
}

/* Is it a whole image? @damaged: where it is not. */
static u32 head_check(const struct luna_image *image, u64 *damaged)
{
	const u8 *head = image->head;
	u64 total = image->head_len + image->len, length;

	*damaged = 0;
	if (image->head_len < LUNA_IMAGE_HEAD || memcmp(head, image_magic, sizeof(image_magic)))
		return CKR_DATA_INVALID;
	if (get_unaligned_le32(head + HEAD_VERSION) > LUNA_IMAGE_VERSION)
		return CKR_SIM_VERSION_UNSUPPORTED;
	if (luna_crc32(head, HEAD_CRC) != get_unaligned_le32(head + HEAD_CRC))
		return CKR_DATA_INVALID;
	length = get_unaligned_le64(head + HEAD_LENGTH);
	*damaged = min(total, length);
	return length == total && image->len ? CKR_OK : CKR_DATA_INVALID;
}

/* ---- export ---- */

static int export_seal(struct luna_token *token, struct luna_image *image, struct image_keys *keys)
{
	struct luna_aes_key *key;
	int err;

	err = head_begin(token, image, keys->salt);
	if (err)
		return err;
	key = image_key(token, keys, image->head);
	if (IS_ERR(key))
		return PTR_ERR(key);
	head_end(image, keys);
	err = luna_image_seal(image, token, key);
	token->crypto->aes_key_free(key);
	return err;
}

static u32 export_keys(struct luna_token *token, struct image_keys *keys)
{
	struct luna_secrets *secrets;
	u32 rv;

	secrets = luna_exchange_secrets(token, &rv);
	if (!secrets)
		return rv;
	if (secrets->has_domain)
		memcpy(keys->domain, secrets->domain, sizeof(keys->domain));
	else
		rv = CKR_CLONING_PARAMETER_MISSING;
	kfree_sensitive(secrets);
	return rv;
}

static u32 export_fill(struct luna_token *token, struct luna_image *image)
{
	struct image_keys *keys = kzalloc(sizeof(*keys), GFP_KERNEL);
	u32 rv;
	int err;

	if (!keys)
		return CKR_DEVICE_MEMORY;
	rv = export_keys(token, keys);
	if (rv == CKR_OK) {
		err = luna_log_export(token, &luna_image_store_ops, image);
		rv = luna_ckr(err ? err : export_seal(token, image, keys));
	}
	kfree_sensitive(keys);
	return rv;
}

static u64 image_total(const struct luna_image *image)
{
	return image->head_len + image->len;
}

static void image_replace(struct luna_open *open, struct luna_image *image)
{
	lockdep_assert_held(&open->image_lock);
	luna_image_free(open->image);
	open->image = image;
}

void luna_image_drop(struct luna_open *open)
{
	guard(mutex)(&open->image_lock);
	image_replace(open, NULL);
}

u32 luna_do_image_export(struct luna_ucmd *cmd)
{
	struct luna_image_arg *arg = cmd->arg;
	struct luna_image *image;
	u32 rv;

	if (arg->role || arg->so_pin_len || arg->domain_len || arg->pin_len || arg->length ||
	    arg->damaged)
		return CKR_ARGUMENTS_BAD;
	rv = luna_clone_all_allowed(cmd->session);
	if (rv)
		return rv;
	guard(mutex)(&cmd->open->image_lock);
	image_replace(cmd->open, NULL);
	image = luna_image_new(cmd->open);
	if (!image)
		return CKR_DEVICE_MEMORY;
	rv = export_fill(cmd->token, image);
	if (rv) {
		luna_image_free(image);
		return rv;
	}
	image->outgoing = true;
	arg->length = image_total(image);
	image_replace(cmd->open, image);
	return CKR_OK;
}

static void image_take(struct luna_image *image, u8 *to, u32 len)
{
	u32 n = 0;

	if (image->at < image->head_len) {
		n = min_t(u64, len, image->head_len - image->at);
		memcpy(to, image->head + image->at, n);
	}
	luna_image_take(image, image->at + n - image->head_len, to + n, len - n);
	image->at += len;
}

u32 luna_do_image_get(struct luna_ucmd *cmd)
{
	struct luna_open *open = cmd->open;
	struct luna_data *arg = cmd->arg;
	u32 len;
	u8 *room;

	guard(mutex)(&open->image_lock);
	if (!open->image || !open->image->outgoing || arg->offset != open->image->at)
		return CKR_ARGUMENTS_BAD;
	len = min_t(u64, image_total(open->image) - open->image->at, cmd->out_room);
	len = min(len, arg->length);
	room = luna_reply_room(cmd, len);
	if (!room)
		return CKR_DEVICE_MEMORY;
	image_take(open->image, room, len);
	arg->length = len;
	if (open->image->at == image_total(open->image))
		image_replace(open, NULL);
	return CKR_OK;
}

/* ---- import ---- */

static int image_put(struct luna_image *image, const u8 *data, u32 len)
{
	u32 n = min(len, LUNA_IMAGE_HEAD - image->head_len);

	if (n)
		memcpy(image->head + image->head_len, data, n);
	image->head_len += n;
	return luna_image_append(image, data + n, len - n);
}

u32 luna_do_image_put(struct luna_ucmd *cmd)
{
	const struct luna_data *arg = cmd->arg;
	struct luna_open *open = cmd->open;

	if (arg->length)
		return CKR_ARGUMENTS_BAD;
	guard(mutex)(&open->image_lock);
	if (!arg->offset)
		image_replace(open, luna_image_new(open));
	if (!open->image)
		return arg->offset ? CKR_ARGUMENTS_BAD : CKR_DEVICE_MEMORY;
	if (open->image->outgoing || arg->offset != image_total(open->image))
		return CKR_ARGUMENTS_BAD;
	if (!image_put(open->image, cmd->in, cmd->in_len))
		return CKR_OK;
	image_replace(open, NULL);
	return CKR_DEVICE_MEMORY;
}

/* A restore under way. The PINs and the domain stand in the request. */
struct restore {
	struct luna_token *token;
	struct luna_image *image;
	const u8 *so_pin, *domain, *pin;
	u32 so_pin_len, domain_len, pin_len;
	int role;
	u64 damaged;
};

static u32 restore_unseal(struct restore *r, struct image_keys *keys)
{
	const u8 *head = r->image->head;
	struct luna_aes_key *key;
	int err;

	err = luna_domain_stretch(r->token->crypto, r->domain, r->domain_len, keys->domain);
	if (err)
		return luna_ckr(err);
	key = image_key(r->token, keys, head);
	if (IS_ERR(key))
		return luna_ckr(PTR_ERR(key));
	if (crypto_memneq(keys->made + LUNA_IMAGE_KEY, head + LUNA_IMAGE_SAID, LUNA_IMAGE_CHECK)) {
		r->token->crypto->aes_key_free(key);
		return CKR_UNWRAPPING_ERROR;
	}
	err = luna_image_unseal(r->image, r->token, key, &r->damaged);
	r->token->crypto->aes_key_free(key);
	return err == -EBADMSG ? CKR_DATA_INVALID : luna_ckr(err);
}

static u32 restore_open(struct restore *r)
{
	struct image_keys *keys;
	u32 rv;

	rv = head_check(r->image, &r->damaged);
	if (rv)
		return rv;
	keys = kzalloc(sizeof(*keys), GFP_KERNEL);
	if (!keys)
		return CKR_DEVICE_MEMORY;
	rv = restore_unseal(r, keys);
	kfree_sensitive(keys);
	return rv;
}

/* Could C_InitToken and what follows it have led to this state? */
static bool state_possible(const struct luna_state *state)
{
	const struct luna_mofn_param *mofn = &state->mofn;
	u32 i;

	if (!state->initialised || !luna_policies_possible(state))
		return false;
	for (i = 0; i < LUNA_ROLES; i++)
		if (state->roles[i].set && (!state->roles[i].iterations ||
					    state->roles[i].iterations > PIN_ITERATIONS_MAX))
			return false;
	return !mofn->generated || (mofn->m && mofn->m <= mofn->n);
}

/* Parts as long as those of a key that luna_twc_make() made, or shorter. */
static bool wrapping_key_possible(const struct luna_der_rsa *key)
{
	const struct luna_num *halves[] = { &key->p, &key->q, &key->dp, &key->dq, &key->qi };
	u32 i, bytes = LUNA_TWC_BITS / 8;

	if (key->n.len != bytes || !key->d.len || key->d.len > bytes || key->e.len > bytes)
		return false;
	for (i = 0; i < ARRAY_SIZE(halves); i++)
		if (!halves[i]->len || halves[i]->len > bytes / 2)
			return false;
	return true;
}

static bool same_number(const struct luna_num *a, const struct luna_num *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* Does the certificate say what the wrapping key and the state do? */
static u32 twc_verify(struct luna_token *token)
{
	const struct luna_secrets *secrets = token->secrets;
	const struct luna_state *state = token->state;
	struct luna_der_rsa key;
	struct luna_num n, e;
	u8 serial[LUNA_SERIAL_LEN];
	int err;

	err = luna_twc_parse(token, state->twc, state->twc_len, &n, &e, serial);
	if (!err)
		err = luna_der_rsa_private_parse(secrets->twc_key, secrets->twc_key_len, &key);
	if (err)
		return err == -EBADMSG ? CKR_DATA_INVALID : luna_ckr(err);
	if (memcmp(serial, state->serial, sizeof(serial)) || !wrapping_key_possible(&key) ||
	    !same_number(&key.n, &n) || !same_number(&key.e, &e))
		return CKR_DATA_INVALID;
	return CKR_OK;
}

static u32 restore_verify_open(struct luna_token *image)
{
	u32 rv = twc_verify(image);

	return rv ? rv : luna_objects_verify(image);
}

/* @image is the token that the image holds, which nobody else knows. */
static u32 restore_verify(const struct restore *r, struct luna_token *image)
{
	u32 rv;

	if (image->damaged || !state_possible(image->state) ||
	    atomic_read(&image->next_handle) < 0 ||
	    atomic_read(&image->next_handle) > LUNA_IMAGE_HANDLE_MAX)
		return CKR_DATA_INVALID;
	rv = luna_role_unlock(image, r->role, r->pin, r->pin_len);
	if (rv)		/* not to be taken for the SO PIN of the token that is there */
		return rv == CKR_PIN_INCORRECT ? CKR_SIM_AUTHORIZATION_FAILED : rv;
	rv = restore_verify_open(image);
	luna_role_lock(image);
	return rv;
}

/* Makes the image's token the slot's, unless a session came meanwhile. */
static u32 restore_swap(struct luna_token *token, struct luna_token *image)
{
	int err;

	guard(rwsem_write)(&token->lock);
	if (atomic_read(&token->sessions))
		return CKR_SESSION_EXISTS;
	err = luna_log_import(token, image);
	if (err)
		return luna_ckr(err);
	/* From here on nothing fails: the store has been replaced. */
	luna_token_end_logins(token);	/* what was kept open without a session */
	luna_objects_drop_all(token);
	luna_dir_move(&token->objects, &image->objects, token);
	memcpy(token->state, image->state, sizeof(*token->state));
	luna_token_changed(token);
	return CKR_OK;
}

static u32 restore_run(struct restore *r)
{
	struct luna_token *image;
	u32 rv;

	rv = restore_open(r);
	if (rv)
		return rv;
	r->damaged = 0;
	image = luna_token_open(&r->token->config, r->token->crypto, &luna_image_store_ops,
				r->image);
	if (IS_ERR(image))
		return luna_ckr(PTR_ERR(image));
	rv = restore_verify(r, image);
	if (rv == CKR_OK) {
		guard(mutex)(&r->token->auth);
		rv = luna_init_authorise(r->token, r->so_pin, r->so_pin_len);
		if (rv == CKR_OK)
			rv = restore_swap(r->token, image);
	}
	luna_token_close(image);
	return rv;
}

static u32 restore_args(struct luna_ucmd *cmd, const struct luna_image_arg *arg, struct restore *r)
{
	u64 sum = (u64)arg->so_pin_len + arg->domain_len + arg->pin_len;

	if (sum != cmd->in_len || arg->length || arg->damaged)
		return CKR_ARGUMENTS_BAD;
	r->role = luna_role_index(arg->role);
	if (r->role < 0)
		return CKR_USER_TYPE_INVALID;
	if (arg->so_pin_len > LUNA_PIN_MAX || arg->pin_len > LUNA_PIN_MAX)
		return CKR_PIN_LEN_RANGE;
	r->token = cmd->token;
	r->so_pin = cmd->in;
	r->so_pin_len = arg->so_pin_len;
	r->domain = r->so_pin + r->so_pin_len;
	r->domain_len = arg->domain_len;
	r->pin = r->domain + r->domain_len;
	r->pin_len = arg->pin_len;
	return atomic_read(&cmd->token->sessions) ? CKR_SESSION_EXISTS : CKR_OK;
}

u32 luna_do_image_restore(struct luna_ucmd *cmd)
{
	struct luna_image_arg *arg = cmd->arg;
	struct restore r = {};
	u32 rv;

	rv = restore_args(cmd, arg, &r);
	if (rv)
		return rv;
	guard(mutex)(&cmd->open->image_lock);
	r.image = cmd->open->image;
	if (!r.image || r.image->outgoing)
		return CKR_ARGUMENTS_BAD;
	rv = restore_run(&r);
	if (rv == CKR_DATA_INVALID)
		arg->damaged = r.damaged;
	image_replace(cmd->open, NULL);
	return rv;
}
