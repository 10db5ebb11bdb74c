// SPDX-License-Identifier: MIT
/* Commands of the fuzz targets, and a look at every reply. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common_parts.h"

static const u16 sizes[LUNA_COMMANDS] = {
	[LUNA_GET_INFO] = sizeof(struct luna_info),
	[LUNA_RESET] = sizeof(struct luna_hdr),
	[LUNA_SLOT_INFO] = sizeof(struct luna_slot_info),
	[LUNA_MECH_LIST] = sizeof(struct luna_mech_list),
	[LUNA_DATA_PUT] = sizeof(struct luna_data),
	[LUNA_DATA_GET] = sizeof(struct luna_data),
	[LUNA_RANDOM] = sizeof(struct luna_random),
	[LUNA_SEED] = sizeof(struct luna_hdr),
	[LUNA_SESSION_OPEN] = sizeof(struct luna_session_info),
	[LUNA_SESSION_CLOSE] = sizeof(struct luna_hdr),
	[LUNA_SESSION_CLOSE_ALL] = sizeof(struct luna_hdr),
	[LUNA_SESSION_INFO] = sizeof(struct luna_session_info),
	[LUNA_APP_ID] = sizeof(struct luna_app_id),
	[LUNA_INIT_TOKEN] = sizeof(struct luna_init_token),
	[LUNA_INIT_PIN] = sizeof(struct luna_pin),
	[LUNA_SET_PIN] = sizeof(struct luna_pin),
	[LUNA_LOGIN] = sizeof(struct luna_pin),
	[LUNA_LOGOUT] = sizeof(struct luna_hdr),
	[LUNA_ROLE_STATE] = sizeof(struct luna_role_state),
	[LUNA_POLICY_LIST] = sizeof(struct luna_policy_list),
	[LUNA_POLICY_SET] = sizeof(struct luna_policy_set),
	[LUNA_SET_DOMAIN] = sizeof(struct luna_hdr),
	[LUNA_OBJECT_CREATE ... LUNA_ATTR_SET] = sizeof(struct luna_object_arg),
	[LUNA_FIND] = sizeof(struct luna_find),
	[LUNA_OP] = sizeof(struct luna_op),
	[LUNA_MESSAGE] = sizeof(struct luna_message),
	[LUNA_GENERATE_KEY ... LUNA_DERIVE] = sizeof(struct luna_key),
	[LUNA_CLONE_SOURCE_INIT ... LUNA_CLONE_TARGET] = sizeof(struct luna_blob),
	[LUNA_HA_INIT ... LUNA_HA_MOFN_ACTIVATE] = sizeof(struct luna_blob),
	[LUNA_MOFN_GENERATE ... LUNA_MOFN_ACTIVATE] = sizeof(struct luna_mofn),
	[LUNA_MOFN_DEACTIVATE] = sizeof(struct luna_hdr),
	[LUNA_MOFN_STATUS] = sizeof(struct luna_mofn_status),
	[LUNA_PROVIDER_LIST] = sizeof(struct luna_provider_list),
	[LUNA_IMAGE_EXPORT] = sizeof(struct luna_image_arg),
	[LUNA_IMAGE_GET ... LUNA_IMAGE_PUT] = sizeof(struct luna_data),
	[LUNA_IMAGE_RESTORE] = sizeof(struct luna_image_arg),
};

u32 fuzz_size(u32 nr)
{
	return nr < LUNA_COMMANDS ? sizes[nr] : 0;
}

static bool rv_known(u32 rv)
{
	static const u32 known[] = {
#define NAME(rv) rv
#include "rv_names.h"
#undef NAME
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i] == rv)
			return true;
	return false;
}

static bool errno_known(int err)
{
	return !err || err == -ENOTTY || err == -EINVAL || err == -E2BIG || err == -ENOMEM;
}

/* What the host's reply buffer held before: different at every place and at every call. */
static u8 stale(u32 call, size_t at)
{
	u32 v = (call + at) * 2654435761u;

	return (v >> 24) | 1;
}

/* How many bytes of the host's were handed out in one piece. */
static size_t stale_run(const u8 *reply, size_t len, u32 call)
{
	size_t i, run = 0, most = 0;

	for (i = 0; i < len; i++) {
		run = reply[i] == stale(call, i) ? run + 1 : 0;
		most = max(most, run);
	}
	return most;
}

static void look_at(const u8 *reply, size_t len, size_t out_len, u32 call)
{
	struct luna_hdr hdr;
	size_t i;

	fuzz_check(out_len <= len);
	/* Six bytes in a row are no chance: 2^-42. */
	fuzz_check(stale_run(reply, out_len, call) < 6);
	for (i = out_len; i < len; i++)
		fuzz_check(!reply[i] || reply[i] == stale(call, i));
	if (!out_len)
		return;
	memcpy(&hdr, reply, sizeof(hdr));
	fuzz_check(out_len == (size_t)hdr.size + hdr.out_len);
	fuzz_check(rv_known(hdr.rv));
}

int fuzz_ioctl(struct luna_open *open, u32 nr, const void *request, size_t len, void *reply,
	       size_t *out_len)
{
	static u32 calls;
	u32 call = ++calls * 8191;
	u8 *in = fuzz_alloc(len), *out = fuzz_alloc(len);
	size_t i;
	int err;

	memcpy(in, request, len);
	for (i = 0; i < len; i++)
		out[i] = stale(call, i);
	err = luna_cmd(open, nr, in, len, out, out_len);
	fuzz_check(!memcmp(in, request, len));
	fuzz_check(errno_known(err));
	fuzz_check(err ? !*out_len : *out_len >= sizeof(struct luna_hdr));
	look_at(out, len, *out_len, call);
	memcpy(reply, out, *out_len);
	if (fuzz_telling)
		fprintf(stderr, "command %u: %d, %#x\n", nr, err,
			err ? 0 : ((struct luna_hdr *)out)->rv);
	free(in);
	free(out);
	return err;
}

s64 fuzz_call(struct luna_open *open, u32 nr, void *arg, size_t size, const void *in, size_t in_len,
	      void *out, size_t *out_len)
{
	size_t room = out_len ? *out_len : 0;
	size_t len = min_t(size_t, size + max(in_len, room), LUNA_IOC_MAX), got = 0;
	struct luna_hdr *hdr = arg;
	u8 *request, *reply;
	s64 ret;

	if (out_len)
		*out_len = 0;
	if (in_len > len - size)
		return -E2BIG;
	request = fuzz_alloc(len);
	reply = fuzz_alloc(len);
	hdr->size = size;
	hdr->in_len = in_len;
	memset(request, 0, len);
	memcpy(request, arg, size);
	if (in_len)
		memcpy(request + size, in, in_len);
	ret = fuzz_ioctl(open, nr, request, len, reply, &got);
	if (!ret) {
		memcpy(arg, reply, size);
		ret = hdr->rv;
		if (out_len)
			*out_len = min_t(size_t, hdr->out_len, room);
		if (out && hdr->out_len)
			memcpy(out, reply + size, min_t(size_t, hdr->out_len, room));
	}
	free(request);
	free(reply);
	return ret;
}

s64 fuzz_step(struct fuzz_side *side, u32 nr, struct luna_blob *arg, const void *in, size_t in_len,
	      struct fuzz_message *out)
{
	size_t len = out ? 4096 : 0;
	s64 ret;

	arg->hdr.session = side->session;
	arg->blob_len = in_len;
	arg->out_max = out ? len : LUNA_OUT_QUERY;
	ret = fuzz_call(side->open, nr, arg, sizeof(*arg), in, in_len, out ? out->data : NULL, &len);
	if (out)
		out->len = len;
	return ret;
}
