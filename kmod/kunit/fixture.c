// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Tokens in memory for tests, and commands to them in the ABI's own terms. */
#include "fixture.h"

/* Secrets under test PINs need no stretching. */
enum { FX_PIN_ITERATIONS = 1 };

void fx_open_store(struct fx *fx, const struct luna_crypto_ops *crypto, u32 slot,
		   struct memstore *store)
{
	*fx = (struct fx){
		.config = {
			.slot = slot,
			.host = "test",
			.pin_iterations = FX_PIN_ITERATIONS,
		},
		.crypto = crypto ? crypto : luna_test_crypto(),
		.store = store,
		.warnings = luna_test_warnings(),
	};
	fx->token = luna_token_open(&fx->config, fx->crypto, &memstore_ops, store);
	fx_check(!IS_ERR_OR_NULL(fx->token));
}

void fx_open(struct fx *fx, const struct luna_crypto_ops *crypto, u32 slot)
{
	fx_open_store(fx, crypto, slot, memstore_new());
}

void fx_reopen(struct fx *fx)
{
	luna_token_close(fx->token);
	fx->token = luna_token_open(&fx->config, fx->crypto, &memstore_ops, fx->store);
	fx_check(!IS_ERR_OR_NULL(fx->token));
}

void fx_close(struct fx *fx)
{
	luna_token_close(fx->token);
	memstore_free(fx->store);
	fx->token = NULL;
	fx->store = NULL;
	fx_check(luna_test_warnings() == fx->warnings);
}

/* One ioctl. The request buffer is separate and must stay as it was, as @in of luna_cmd() is const. */
static s64 call_once(struct luna_open *open, u32 nr, struct luna_hdr *hdr, size_t size, const u8 *in,
		     size_t in_len, u8 *out, size_t out_room)
{
	size_t len = size + max(in_len, out_room), out_len = 0, at;
	u8 *request, *reply;
	s64 ret;

	len = min_t(size_t, len, LUNA_IOC_MAX);
	if (size + in_len > len)
		return -E2BIG;
	request = luna_test_alloc(len);
	reply = luna_test_alloc(len);
	memset(reply, 0xa5, len);
	hdr->size = size;
	hdr->in_len = in_len;
	memcpy(request, hdr, size);
	if (in_len)
		memcpy(request + size, in, in_len);
	ret = luna_cmd(open, nr, request, len, reply, &out_len);
	fx_check(out_len <= len);
	/* A host wipes what it hands back: behind that there must be nothing to wipe. */
	for (at = out_len; at < len; at++)
		fx_check(!reply[at] || reply[at] == 0xa5);
	if (ret) {
		fx_check(out_len == 0);
	} else {
		fx_check(out_len >= size);
		memcpy(hdr, reply, size);
		fx_check(out_len == size + hdr->out_len);
		fx_check(hdr->out_len <= out_room || !out);
		if (out)
			memcpy(out, reply + size, hdr->out_len);
		ret = hdr->rv;
	}
	luna_test_free(request);
	luna_test_free(reply);
	return ret;
}

/* Sends all of the payload but what fits the command itself; *@sent: bytes of it. */
static s64 stage(struct luna_open *open, struct luna_hdr *hdr, size_t size, const u8 *in,
		 size_t in_len, size_t *sent)
{
	size_t fits = LUNA_IOC_MAX - size, len;
	s64 ret;

	for (*sent = 0; in_len - *sent > fits; *sent += len) {
		struct luna_data put = { .hdr.session = hdr->session, .offset = *sent };

		len = min(in_len - *sent, LUNA_IOC_MAX - sizeof(put));
		ret = call_once(open, LUNA_DATA_PUT, &put.hdr, sizeof(put), in + *sent, len, NULL, 0);
		if (ret)
			return ret;
	}
	if (*sent)
		hdr->flags |= LUNA_F_STAGED;
	return CKR_OK;
}

static s64 fetch_more(struct luna_open *open, struct luna_hdr *hdr, u8 *out, size_t room)
{
	u32 fetched = 0, more = hdr->more;

	while (fetched < more) {
		struct luna_data get = {
			.hdr.session = hdr->session,
			.offset = fetched,
			.length = min_t(u32, more - fetched, LUNA_IOC_MAX - sizeof(get)),
		};
		s64 ret;

		if (room - fetched < get.length)
			return -EMSGSIZE;
		ret = call_once(open, LUNA_DATA_GET, &get.hdr, sizeof(get), NULL, 0, out + fetched,
				get.length);
		if (ret)
			return ret;
		fx_check(get.hdr.out_len > 0);
		fetched += get.hdr.out_len;
	}
	return CKR_OK;
}

s64 fx_call(struct luna_open *open, u32 nr, void *arg, size_t size, const void *in, size_t in_len,
	    void *out, size_t *out_len)
{
	size_t room = out_len ? *out_len : 0, now, sent;
	struct luna_hdr *hdr = arg;
	s64 ret;

	ret = stage(open, hdr, size, in, in_len, &sent);
	if (ret)
		return ret;
	now = min_t(size_t, room, LUNA_IOC_MAX - size);
	ret = call_once(open, nr, hdr, size, in ? (const u8 *)in + sent : NULL, in_len - sent,
			out, now);
	hdr->flags &= ~LUNA_F_STAGED;
	if (out_len)
		*out_len = ret < 0 ? 0 : hdr->out_len;
	if (ret >= 0 && out && hdr->more) {
		s64 err = fetch_more(open, hdr, (u8 *)out + hdr->out_len, room - hdr->out_len);

		if (err)
			return err;
		*out_len += hdr->more;
	}
	return ret;
}

/* Templates */
void fx_attr(struct fx_tmpl *tmpl, u32 type, const void *value, u32 len)
{
	struct luna_attr attr = { .type = type, .len = len };
	u32 padded = round_up(len, 8U);

	fx_check(sizeof(attr) + padded <= sizeof(tmpl->data) - tmpl->len);
	memcpy(tmpl->data + tmpl->len, &attr, sizeof(attr));
	tmpl->len += sizeof(attr);
	memset(tmpl->data + tmpl->len, 0, padded);
	if (len)
		memcpy(tmpl->data + tmpl->len, value, len);
	tmpl->len += padded;
}

void fx_attr_bool(struct fx_tmpl *tmpl, u32 type, bool value)
{
	u8 byte = value;

	fx_attr(tmpl, type, &byte, sizeof(byte));
}

void fx_attr_ulong(struct fx_tmpl *tmpl, u32 type, u64 value)
{
	fx_attr(tmpl, type, &value, sizeof(value));
}

void fx_attr_text(struct fx_tmpl *tmpl, u32 type, const char *value)
{
	fx_attr(tmpl, type, value, strlen(value));
}

void fx_attrs(struct fx_tmpl *tmpl, const struct fx_tmpl *more)
{
	if (!more)
		return;
	fx_check(more->len <= sizeof(tmpl->data) - tmpl->len);
	memcpy(tmpl->data + tmpl->len, more->data, more->len);
	tmpl->len += more->len;
}

/* Token, sessions, roles */

/* A command whose payload is two texts, one after the other. */
static s64 call_texts(struct luna_open *open, u32 nr, void *arg, size_t size, const char *one,
		      const char *two)
{
	size_t len = strlen(one) + strlen(two);
	char *payload = luna_test_alloc(len + 1);
	s64 ret;

	scnprintf(payload, len + 1, "%s%s", one, two);
	ret = fx_call(open, nr, arg, size, payload, len, NULL, NULL);
	luna_test_free(payload);
	return ret;
}

s64 fx_init_token(struct luna_open *open, u32 type, const char *so_pin, const char *domain)
{
	return fx_init_token_flags(open, type, so_pin, domain, 0);
}

s64 fx_init_token_flags(struct luna_open *open, u32 type, const char *so_pin, const char *domain,
			u32 flags)
{
	struct luna_init_token init = {
		.pin_len = strlen(so_pin),
		.domain_len = strlen(domain),
		.type = type,
		.flags = flags,
	};

	memset(init.label, ' ', sizeof(init.label));
	memcpy(init.label, FX_LABEL, strlen(FX_LABEL));
	return call_texts(open, LUNA_INIT_TOKEN, &init, sizeof(init), so_pin, domain);
}

s64 fx_session(struct luna_open *open, bool rw, u32 *session)
{
	struct luna_session_info info = { .flags = CKF_SERIAL_SESSION | (rw ? CKF_RW_SESSION : 0) };
	s64 ret = fx_call(open, LUNA_SESSION_OPEN, &info, sizeof(info), NULL, 0, NULL, NULL);

	*session = ret ? 0 : info.handle;
	return ret;
}

static s64 call_hdr(struct luna_open *open, u32 nr, u32 session)
{
	struct luna_hdr hdr = { .session = session };

	return fx_call(open, nr, &hdr, sizeof(hdr), NULL, 0, NULL, NULL);
}

s64 fx_session_close(struct luna_open *open, u32 session)
{
	return call_hdr(open, LUNA_SESSION_CLOSE, session);
}

s64 fx_logout(struct luna_open *open, u32 session)
{
	return call_hdr(open, LUNA_LOGOUT, session);
}

static s64 call_pin(struct luna_open *open, u32 nr, u32 session, u32 role, const char *pin,
		    const char *new)
{
	struct luna_pin arg = {
		.hdr.session = session,
		.role = role,
		.pin_len = strlen(pin),
		.new_len = strlen(new),
	};

	return call_texts(open, nr, &arg, sizeof(arg), pin, new);
}

s64 fx_login(struct luna_open *open, u32 session, u32 role, const char *pin)
{
	return call_pin(open, LUNA_LOGIN, session, role, pin, "");
}

s64 fx_init_pin(struct luna_open *open, u32 session, u32 role, const char *pin)
{
	return call_pin(open, LUNA_INIT_PIN, session, role, pin, "");
}

s64 fx_set_pin(struct luna_open *open, u32 session, const char *old, const char *new)
{
	return call_pin(open, LUNA_SET_PIN, session, 0, old, new);
}

/* Objects */
s64 fx_create(struct luna_open *open, u32 session, const struct fx_tmpl *tmpl, u32 *handle)
{
	struct luna_object_arg arg = { .hdr.session = session, .template_len = tmpl->len };
	s64 ret = fx_call(open, LUNA_OBJECT_CREATE, &arg, sizeof(arg), tmpl->data, tmpl->len, NULL,
			  NULL);

	*handle = ret ? 0 : arg.handle;
	return ret;
}

s64 fx_destroy(struct luna_open *open, u32 session, u32 handle)
{
	struct luna_object_arg arg = { .hdr.session = session, .handle = handle };

	return fx_call(open, LUNA_OBJECT_DESTROY, &arg, sizeof(arg), NULL, 0, NULL, NULL);
}

s64 fx_attr_set(struct luna_open *open, u32 session, u32 handle, const struct fx_tmpl *tmpl)
{
	struct luna_object_arg arg = {
		.hdr.session = session,
		.handle = handle,
		.template_len = tmpl->len,
	};

	return fx_call(open, LUNA_ATTR_SET, &arg, sizeof(arg), tmpl->data, tmpl->len, NULL, NULL);
}

s64 fx_attr_get(struct luna_open *open, u32 session, u32 handle, u32 type, void *value, u32 *len)
{
	struct luna_attr asked = { .type = type, .len = *len };
	struct luna_object_arg arg = {
		.hdr.session = session,
		.handle = handle,
		.template_len = sizeof(asked),
	};
	size_t out_len = sizeof(asked) + round_up(*len, 8U);
	u8 *out = luna_test_alloc(out_len);
	s64 ret = fx_call(open, LUNA_ATTR_GET, &arg, sizeof(arg), &asked, sizeof(asked), out, &out_len);

	*len = LUNA_ATTR_UNAVAILABLE;
	if (ret >= 0 && out_len >= sizeof(asked)) {
		memcpy(&asked, out, sizeof(asked));
		fx_check(asked.type == type);
		*len = asked.len;
		if (out_len > sizeof(asked) && asked.len != LUNA_ATTR_UNAVAILABLE) {
			fx_check(asked.len <= out_len - sizeof(asked));
			memcpy(value, out + sizeof(asked), asked.len);
		}
	}
	luna_test_free(out);
	return ret;
}

s64 fx_find(struct luna_open *open, u32 session, const struct fx_tmpl *tmpl, u32 *handles, u32 max,
	    u32 *count)
{
	struct luna_find arg = { .hdr.session = session, .max = max, .template_len = tmpl->len };
	size_t len = max * sizeof(*handles);
	s64 ret = fx_call(open, LUNA_FIND, &arg, sizeof(arg), tmpl->data, tmpl->len, handles, &len);

	*count = ret ? 0 : arg.count;
	if (!ret)
		fx_check(len == arg.count * sizeof(*handles));
	return ret;
}

/* Keys */
s64 fx_generate_key(struct luna_open *open, u32 session, u32 mechanism, const struct fx_tmpl *tmpl,
		    u32 *handle)
{
	struct luna_key arg = {
		.hdr.session = session,
		.mechanism = mechanism,
		.template_len = tmpl->len,
	};
	s64 ret = fx_call(open, LUNA_GENERATE_KEY, &arg, sizeof(arg), tmpl->data, tmpl->len, NULL, NULL);

	*handle = ret ? 0 : arg.handle;
	return ret;
}

s64 fx_derive(struct luna_open *open, u32 session, u32 mechanism, const void *param, u32 param_len,
	      u32 base, const struct fx_tmpl *tmpl, u32 *handle)
{
	struct luna_key arg = {
		.hdr.session = session,
		.mechanism = mechanism,
		.param_len = param_len,
		.key = base,
		.template_len = tmpl->len,
	};
	u8 *payload = kvmalloc(param_len + tmpl->len + 1, GFP_KERNEL);
	s64 rv;

	if (!payload)
		return -ENOMEM;
	if (param_len)
		memcpy(payload, param, param_len);
	memcpy(payload + param_len, tmpl->data, tmpl->len);
	rv = fx_call(open, LUNA_DERIVE, &arg, sizeof(arg), payload, param_len + tmpl->len, NULL,
		     NULL);
	kvfree(payload);
	*handle = arg.handle;
	return rv;
}

s64 fx_generate_pair(struct luna_open *open, u32 session, u32 mechanism, const struct fx_tmpl *pub,
		     const struct fx_tmpl *priv, u32 *pub_handle, u32 *priv_handle)
{
	struct luna_key arg = {
		.hdr.session = session,
		.mechanism = mechanism,
		.template_len = pub->len,
		.template2_len = priv->len,
	};
	u8 *both = luna_test_alloc(pub->len + priv->len + 1);
	s64 ret;

	memcpy(both, pub->data, pub->len);
	memcpy(both + pub->len, priv->data, priv->len);
	ret = fx_call(open, LUNA_GENERATE_PAIR, &arg, sizeof(arg), both, pub->len + priv->len, NULL,
		      NULL);
	luna_test_free(both);
	*pub_handle = ret ? 0 : arg.handle;
	*priv_handle = ret ? 0 : arg.handle2;
	return ret;
}

s64 fx_op(struct luna_open *open, u32 session, u32 op, u32 mechanism, u32 key, const void *param,
	  u32 param_len, const void *data, u32 data_len, const void *sig, u32 sig_len, void *out,
	  u32 *out_len)
{
	struct luna_op arg = {
		.hdr.session = session,
		.op = op,
		.step = LUNA_STEP_INIT | LUNA_STEP_ONESHOT,
		.mechanism = mechanism,
		.key = key,
		.param_len = param_len,
		.data_len = data_len,
		.sig_len = sig_len,
		.total = data_len,
		.out_max = out_len ? *out_len : 0,
	};
	size_t len = param_len + data_len + sig_len;
	u8 *payload = luna_test_alloc(len + 1);
	size_t reply_len = out_len && *out_len != LUNA_OUT_QUERY ? *out_len : 0;
	s64 ret;

	if (param_len)
		memcpy(payload, param, param_len);
	if (data_len)
		memcpy(payload + param_len, data, data_len);
	if (sig_len)
		memcpy(payload + param_len + data_len, sig, sig_len);
	ret = fx_call(open, LUNA_OP, &arg, sizeof(arg), payload, len, out, &reply_len);
	luna_test_free(payload);
	if (out_len && ret >= 0)
		*out_len = arg.out_need;
	return ret;
}

/* AES-GCM's parameter and @data, or @data alone; luna_test_alloc'ed. */
static u8 *message_payload(u32 op, const void *data, u32 data_len, u32 *param_len)
{
	static const struct luna_gcm_param gcm = { .iv_len = 12, .iv_bits = 96, .tag_bits = 128 };
	u8 *payload = luna_test_alloc(sizeof(gcm) + gcm.iv_len + data_len);

	*param_len = 0;
	if (op == LUNA_OP_MESSAGE_ENCRYPT) {
		memcpy(payload, &gcm, sizeof(gcm));
		*param_len = sizeof(gcm) + gcm.iv_len;
	}
	memcpy(payload + *param_len, data, data_len);
	return payload;
}

s64 fx_messages(struct luna_open *open, u32 session, u32 op, u32 mechanism, u32 key,
		const void *param, u32 param_len, const void *data, u32 data_len, void *out,
		u32 out_len)
{
	struct luna_op init = { .hdr.session = session, .op = op, .step = LUNA_STEP_CANCEL };
	struct luna_message message;
	bool encrypt = op == LUNA_OP_MESSAGE_ENCRYPT;
	u32 i, head;
	u8 *payload;
	size_t len;
	s64 ret;

	ret = fx_call(open, LUNA_OP, &init, sizeof(init), NULL, 0, NULL, NULL);
	init.step = LUNA_STEP_INIT;
	init.mechanism = mechanism;
	init.key = key;
	init.param_len = param_len;
	if (!ret)
		ret = fx_call(open, LUNA_OP, &init, sizeof(init), param, param_len, NULL, NULL);
	payload = message_payload(op, data, data_len, &head);
	for (i = 0; i < 2 && !ret; i++) {
		message = (struct luna_message){
			.hdr.session = session,
			.op = op,
			.step = LUNA_STEP_ONESHOT,
			.param_len = head,
			.data_len = data_len,
			.sig_len = encrypt ? 16 : 0,
			.generator = encrypt ? CKG_GENERATE_COUNTER : 0,
			.out_max = out_len,
			.total = data_len,
		};
		len = out_len;
		ret = fx_call(open, LUNA_MESSAGE, &message, sizeof(message), payload,
			      head + data_len, out, &len);
	}
	luna_test_free(payload);
	return ret;
}

s64 fx_blob(struct luna_open *open, u32 nr, struct luna_blob *blob, const void *in, u32 in_len,
	    void *out, u32 *out_len)
{
	size_t len = out_len && *out_len != LUNA_OUT_QUERY ? *out_len : 0;
	s64 ret;

	blob->blob_len = in_len;
	blob->out_max = out_len ? *out_len : 0;
	ret = fx_call(open, nr, blob, sizeof(*blob), in, in_len, out, &len);
	if (out_len && ret >= 0)
		*out_len = blob->out_need;
	return ret;
}

s64 fx_clone(struct luna_open *source, u32 source_session, struct luna_open *target,
	     u32 target_session, u32 handle, u32 *clone)
{
	struct luna_blob from = { .hdr.session = source_session, .type = CK_CRYPTOKI_ELEMENT };
	struct luna_blob to = { .hdr.session = target_session, .type = CK_CRYPTOKI_ELEMENT };
	enum { MESSAGE_MAX = 64 * 1024 };
	u8 *message = luna_test_alloc(MESSAGE_MAX), *answer = luna_test_alloc(MESSAGE_MAX);
	u32 len = MESSAGE_MAX, len2 = MESSAGE_MAX;
	s64 ret;

	*clone = 0;
	ret = fx_blob(source, LUNA_CLONE_SOURCE_INIT, &from, NULL, 0, message, &len);
	if (ret)
		goto out;
	ret = fx_blob(target, LUNA_CLONE_TARGET_INIT, &to, message, len, answer, &len2);
	if (ret)
		goto out;
	from.handle = handle;
	len = MESSAGE_MAX;
	ret = fx_blob(source, LUNA_CLONE_SOURCE, &from, answer, len2, message, &len);
	if (ret)
		goto out;
	ret = fx_blob(target, LUNA_CLONE_TARGET, &to, message, len, NULL, NULL);
	if (!ret)
		*clone = to.handle;
out:
	luna_test_free(message);
	luna_test_free(answer);
	return ret;
}

s64 fx_ready(struct fx *fx, struct luna_open **open, u32 *session)
{
	s64 ret;

	*session = 0;
	*open = luna_open(fx->token);
	if (IS_ERR(*open)) {
		ret = PTR_ERR(*open);
		*open = NULL;
		return ret;
	}
	ret = fx_init_token(*open, LUNA_TOKEN_PPSO, FX_SO_PIN, FX_DOMAIN);
	if (ret)
		return ret;
	ret = fx_session(*open, true, session);
	if (ret)
		return ret;
	ret = fx_login(*open, *session, CKU_SO, FX_SO_PIN);
	if (ret)
		return ret;
	ret = fx_init_pin(*open, *session, CKU_USER, FX_CO_PIN);
	if (ret)
		return ret;
	ret = fx_logout(*open, *session);
	if (ret)
		return ret;
	return fx_login(*open, *session, CKU_USER, FX_CO_PIN);
}
