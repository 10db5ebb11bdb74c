// SPDX-License-Identifier: MIT
/*
 * Carries commands to the device; see transport.h.
 */
#include "transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "buffer.h"
#include "log.h"

#define MESSAGE_INSIDE	1024

/* The flat buffer of one ioctl, wiped when done: it may have carried a PIN or a plaintext. */
struct message {
	uint8_t *data;
	size_t cap;
	size_t used;
	_Alignas(8) uint8_t inside[MESSAGE_INSIDE];
};

static bool message_init(struct message *message, size_t cap)
{
	message->cap = cap;
	message->used = 0;
	message->data = cap <= sizeof(message->inside) ? message->inside : malloc(cap);
	return message->data;
}

/* Notes that the first @len bytes have held something. */
static void message_touch(struct message *message, size_t len)
{
	if (len > message->used)
		message->used = len;
}

static void message_free(struct message *message)
{
	explicit_bzero(message->data, message->used);
	if (message->data != message->inside)
		free(message->data);
}

static const struct {
	int error;
	CK_RV rv;
	const char *reason;
} transport_errors[] = {
	{ ENODEV, CKR_DEVICE_REMOVED, "the device has gone" },
	{ ENXIO, CKR_DEVICE_REMOVED, "the device has gone" },
	{ ENOTCONN, CKR_DEVICE_REMOVED, "the daemon has gone" },
	{ ECONNABORTED, CKR_DEVICE_REMOVED, "the daemon has gone" },
	{ ECONNREFUSED, CKR_DEVICE_REMOVED, "the daemon has gone" },
	{ ESTALE, CKR_DEVICE_REMOVED, "the device file is stale" },
	{ EBADF, CKR_DEVICE_REMOVED, "the program closed the library's descriptor" },
	{ ENOMEM, CKR_DEVICE_MEMORY, "the device has no memory" },
	{ ENOTTY, CKR_FUNCTION_NOT_SUPPORTED, "the device does not know the command" },
	{ EACCES, CKR_DEVICE_ERROR, "the device refuses this user" },
};

static CK_RV transport_error(struct p11_device *device, int error)
{
	size_t i;

	for (i = 0; i < sizeof(transport_errors) / sizeof(transport_errors[0]); i++) {
		if (transport_errors[i].error != error)
			continue;
		p11_log_reason(transport_errors[i].reason);
		if (error == EBADF)
			device->fd = -1;	/* the number may soon be somebody else's */
		if (transport_errors[i].rv == CKR_DEVICE_REMOVED)
			p11_device_kill(device);
		return transport_errors[i].rv;
	}
	p11_log_reason("the device refused the command's format");
	return CKR_DEVICE_ERROR;
}

/* One ioctl with the first @len bytes of @message, of which @size are the command's struct. */
static CK_RV transport_carry(struct p11_device *device, unsigned int command,
			     struct message *message, size_t size, size_t len)
{
	struct luna_hdr *head = (struct luna_hdr *)message->data;
	unsigned long number = len <= LUNA_IOC_MAX ? LUNA_IOC(command, len) :
						     LUNA_IOC_LONG(command, len);

	/* EINTR: not carried, and no signal of the program's makes it less wanted. */
	while (ioctl(device->fd, number, message->data) < 0)
		if (errno != EINTR)
			return transport_error(device, errno);
	if (head->out_len > len - size) {
		p11_log_reason("the device sent a malformed reply");
		return CKR_DEVICE_ERROR;
	}
	message_touch(message, size + head->out_len);
	p11_device_saw(device, head->generation);
	return CKR_OK;
}

/* Copies @len bytes of the request's payload, beginning @skip bytes into it. */
static void transport_gather(const struct p11_request *request, size_t skip, uint8_t *to,
			     size_t len)
{
	size_t part;
	int i;

	for (i = 0; i < P11_PIECES && len; i++) {
		if (skip >= request->in[i].len) {
			skip -= request->in[i].len;
			continue;
		}
		part = request->in[i].len - skip;
		if (part > len)
			part = len;
		memcpy(to, (const uint8_t *)request->in[i].data + skip, part);
		to += part;
		len -= part;
		skip = 0;
	}
}

/* Sends the first @total bytes of payload ahead. */
static CK_RV transport_stage(struct p11_device *device, struct p11_request *request,
			     struct message *message, size_t total)
{
	struct luna_data *data = (struct luna_data *)message->data;
	size_t offset, part, most = message->cap - sizeof(*data);
	CK_RV rv;

	for (offset = 0; offset < total; offset += part) {
		part = total - offset < most ? total - offset : most;
		memset(data, 0, sizeof(*data));
		data->hdr.size = sizeof(*data);
		data->hdr.in_len = (uint32_t)part;
		data->hdr.session = request->head->session;
		data->offset = (uint32_t)offset;
		transport_gather(request, offset, message->data + sizeof(*data), part);
		message_touch(message, sizeof(*data) + part);
		rv = transport_carry(device, LUNA_DATA_PUT, message, sizeof(*data),
				     sizeof(*data) + part);
		if (rv == CKR_OK)
			rv = data->hdr.rv;
		if (rv != CKR_OK)
			return rv;
	}
	return CKR_OK;
}

/* Fetches what the reply had no room for, as far as the caller can take it. */
static CK_RV transport_fetch(struct p11_device *device, struct p11_request *request,
			     struct message *message, size_t more)
{
	struct luna_data *data = (struct luna_data *)message->data;
	size_t offset, part, most = message->cap - sizeof(*data);
	CK_RV rv;

	if (more > request->out_max - request->out_len)
		more = request->out_max - request->out_len;
	for (offset = 0; offset < more; offset += part) {
		part = more - offset < most ? more - offset : most;
		memset(data, 0, sizeof(*data) + part);
		data->hdr.size = sizeof(*data);
		data->hdr.session = request->head->session;
		data->offset = (uint32_t)offset;
		data->length = (uint32_t)part;
		rv = transport_carry(device, LUNA_DATA_GET, message, sizeof(*data),
				     sizeof(*data) + part);
		if (rv == CKR_OK)
			rv = data->hdr.rv;
		if (rv != CKR_OK)
			return rv;
		part = data->hdr.out_len;
		if (!part)
			return CKR_DEVICE_ERROR;
		memcpy((uint8_t *)request->out + request->out_len, message->data + sizeof(*data),
		       part);
		request->out_len += part;
	}
	return CKR_OK;
}

/* Takes the reply out of @message: struct, payload, and the rest of the payload. */
static CK_RV transport_reply(struct p11_device *device, struct p11_request *request,
			     struct message *message)
{
	struct luna_hdr *head = request->head;
	size_t len, total;
	CK_RV rv;

	memcpy(head, message->data, request->size);
	request->out_len = 0;
	total = (size_t)head->out_len + head->more;
	if (total > request->out_max)
		total = request->out_max;
	if (request->grow && total) {
		request->out = malloc(total);
		if (!request->out)
			return CKR_HOST_MEMORY;
	}
	len = head->out_len < total ? head->out_len : total;
	if (len)
		memcpy(request->out, message->data + request->size, len);
	request->out_len = len;
	if (head->more && head->out_len <= total) {
		rv = transport_fetch(device, request, message, head->more);
		if (rv != CKR_OK)
			return rv;
	}
	return head->rv;
}

static CK_RV transport_in_pieces(struct p11_device *device, struct p11_request *request,
				 struct message *message, size_t in_len, size_t staged, size_t len)
{
	struct luna_hdr *head = request->head;
	size_t sent = in_len - staged, end = request->size + sent;
	CK_RV rv;

	if (staged) {
		rv = transport_stage(device, request, message, staged);
		if (rv != CKR_OK)
			return rv;
	}
	head->size = request->size;
	head->in_len = (uint32_t)sent;
	head->flags = staged ? LUNA_F_STAGED : 0;
	memcpy(message->data, head, request->size);
	transport_gather(request, staged, message->data + request->size, sent);
	/* The device gets all of the buffer, so none of it may be what the heap held before. */
	memset(message->data + end, 0, len - end);
	message_touch(message, end);
	rv = transport_carry(device, request->command, message, request->size, len);
	if (rv != CKR_OK)
		return rv;
	return transport_reply(device, request, message);
}

CK_RV p11_transport(struct p11_device *device, struct p11_request *request)
{
	size_t room = device->ioc_max - request->size, in_len = 0, staged = 0, out, len;
	struct message message;
	CK_RV rv;
	int i;

	for (i = 0; i < P11_PIECES; i++)
		in_len += request->in[i].len;
	if (in_len > room) {
		/*
		 * Without a session nothing can be sent ahead, and nothing that long makes sense.
		 */
		if (!request->head->session)
			return CKR_ARGUMENTS_BAD;
		if (in_len > device->info.stage_max)
			return CKR_DEVICE_MEMORY;
		staged = in_len - room;
	}
	out = request->out_hint && request->out_hint < request->out_max ? request->out_hint :
									  request->out_max;
	out = out < room ? out : room;
	len = request->size + (in_len - staged > out ? in_len - staged : out);
	if (len > LUNA_IOC_MAX)
		len = (len + 7) & ~(size_t)7;

	if (request->grow)
		request->out = NULL;
	if (!message_init(&message, staged || request->out_max > out ? device->ioc_max : len))
		return CKR_HOST_MEMORY;
	if (p11_device_use(device)) {
		rv = transport_in_pieces(device, request, &message, in_len, staged, len);
		p11_device_unuse(device);
	} else {
		rv = CKR_DEVICE_REMOVED;
	}
	message_free(&message);
	if (rv == CKR_DEVICE_REMOVED && request->grow) {
		/* The caller may ask another device, and would not free what this one sent. */
		free(request->out);
		request->out = NULL;
		request->out_len = 0;
	}
	return rv;
}

CK_RV p11_transport_plain(struct p11_device *device, unsigned int command, uint32_t session,
			  const void *data, size_t len)
{
	struct luna_hdr head = { .session = session };
	struct p11_request request = {
		.command = command,
		.head = &head,
		.size = sizeof(head),
		.in[0] = { data, len },
	};

	return p11_transport(device, &request);
}

CK_RV p11_output_length(CK_RV rv, const struct p11_request *request, const void *out, uint32_t need,
			CK_ULONG *len)
{
	if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL)
		return rv;
	if (rv == CKR_OK && out && request->out_len != need) {
		p11_log_reason("the device sent another length than it says");
		return CKR_DEVICE_ERROR;
	}
	*len = need;
	return rv;
}
