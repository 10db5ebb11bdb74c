// SPDX-License-Identifier: MIT
/*
 * Frames through a pipe, each whole within the time that it has. The other end may be anything: what it
 * sends is believed in nothing before it was looked at, and takes no more memory than a frame may.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

static const unsigned char magic[4] = { 'L', 'P', 'E', 'R' };

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void wrong(struct link *link, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void wrong(struct link *link, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(link->why, sizeof(link->why), format, args);
	va_end(args);
}

/* Waits for @fd until @end; false: in vain. */
static bool ready(struct link *link, int fd, short events, long long end)
{
	struct pollfd wait = { .fd = fd, .events = events };
	long long left;
	int ret;

	for (;;) {
		left = end - now_ms();
		ret = left > 0 ? poll(&wait, 1, left > INT_MAX ? INT_MAX : (int)left) : 0;
		if (ret > 0)
			return true;
		if (!ret)
			wrong(link, "nothing %s for %u seconds", events == POLLIN ? "came" : "could be sent",
			      link->seconds);
		else if (errno == EINTR)
			continue;
		else
			wrong(link, "%s", strerror(errno));
		return false;
	}
}

/* A pipe that is ready takes a page without blocking, a socket as much as it likes. */
static ssize_t write_some(int fd, const unsigned char *data, size_t len)
{
	ssize_t put = send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (put < 0 && errno == ENOTSOCK)
		put = write(fd, data, len < PIPE_BUF ? len : PIPE_BUF);
	return put;
}

static bool write_all(struct link *link, const unsigned char *data, size_t len, long long end)
{
	ssize_t put;

	while (len) {
		if (!ready(link, link->out, POLLOUT, end))
			return false;
		put = write_some(link->out, data, len);
		if (put < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (put < 0) {
			wrong(link, "%s", errno == EPIPE || errno == ECONNRESET ?
			      "the other end has closed it" : strerror(errno));
			return false;
		}
		data += put;
		len -= (size_t)put;
	}
	return true;
}

/* Return: the bytes that came before the end of the pipe, or before something went wrong: *failed */
static size_t read_all(struct link *link, unsigned char *data, size_t len, long long end, bool *failed)
{
	size_t got = 0;
	ssize_t ret;

	*failed = false;
	while (got < len) {
		*failed = !ready(link, link->in, POLLIN, end);
		if (*failed)
			return got;
		ret = read(link->in, data + got, len - got);
		if (ret < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (ret < 0) {
			*failed = true;
			wrong(link, "%s", strerror(errno));
			return got;
		}
		if (!ret)
			return got;
		got += (size_t)ret;
	}
	return got;
}

bool frame_write(struct link *link, unsigned int type, const struct body *body)
{
	long long end = now_ms() + 1000LL * link->seconds;
	struct body head = { NULL, 0, 0, 0, false };
	bool good;

	if (body->len > PEER_BODY_MAX) {
		wrong(link, "a message of %zu bytes is too long for it", body->len);
		return false;
	}
	put_raw(&head, magic, sizeof(magic));
	put_u8(&head, link->version);
	put_u8(&head, type);
	put_u16(&head, link->number);
	put_u32(&head, body->len);
	good = write_all(link, head.data, head.len, end) &&
	       write_all(link, body->data, body->len, end);
	body_free(&head);
	return good;
}

/* What a shell or another program said in place of a frame, as far as it is there already. */
static void not_ours(struct link *link, const unsigned char *head, size_t len)
{
	struct pollfd more = { .fd = link->in, .events = POLLIN };
	char text[160];
	size_t i;

	memcpy(text, head, len);
	while (len < sizeof(text) - 1 && poll(&more, 1, 200) == 1) {
		ssize_t got = read(link->in, text + len, sizeof(text) - 1 - len);

		if (got <= 0)
			break;
		len += (size_t)got;
	}
	for (i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = text[i] == '\n' ? ' ' : '?';
	text[len] = 0;
	if (strstr(text, "LPER"))	/* the peer's greeting, at last */
		len = (size_t)(strstr(text, "LPER") - text);
	while (len && text[len - 1] == ' ')
		len--;
	wrong(link, "it says \"%.*s\", which is no message of this protocol", (int)len, text);
}

/* The head of a frame, PEER_HEAD bytes; *len: of the body that follows. */
static bool head_check(struct link *link, const unsigned char *bytes, unsigned int *type, CK_ULONG *len)
{
	struct body head = { (unsigned char *)bytes, PEER_HEAD, PEER_HEAD, sizeof(magic), false };
	unsigned int version = get_u8(&head), number;

	*type = get_u8(&head);
	number = get_u16(&head);
	*len = get_u32(&head);
	if (version != link->version)
		wrong(link, "it speaks version %u of the protocol, not %u", version, link->version);
	else if (*len > PEER_BODY_MAX)
		wrong(link, "it sends a message of %lu bytes; at most %d are allowed", *len, PEER_BODY_MAX);
	else if (*type >= PEER_REPLY && number != link->number)
		wrong(link, "it answers request %u, and was asked request %u", number, link->number);
	else {
		link->number = (uint16_t)number;
		return true;
	}
	return false;
}

bool frame_read(struct link *link, unsigned int *type, struct body *body, bool *closed)
{
	long long end = now_ms() + 1000LL * link->seconds;
	unsigned char head[PEER_HEAD], page[16384];
	CK_ULONG left = 0;
	size_t got, want;
	bool failed;

	memset(body, 0, sizeof(*body));
	if (closed)
		*closed = false;
	got = read_all(link, head, sizeof(head), end, &failed);
	if (got && memcmp(head, magic, got < sizeof(magic) ? got : sizeof(magic))) {
		not_ours(link, head, got);
		return false;
	}
	if (!failed && !got && closed)
		*closed = true;
	if (!failed && got < sizeof(head))
		wrong(link, got ? "it was closed within a message" : "it was closed");
	if (got < sizeof(head) || !head_check(link, head, type, &left))
		return false;
	/* Memory is taken for what has come, not for what a head promises. */
	for (; left; left -= got) {
		want = left < sizeof(page) ? left : sizeof(page);
		got = read_all(link, page, want, end, &failed);
		put_raw(body, page, got);
		if (got < want) {
			if (!failed)
				wrong(link, "it was closed within a message");
			body_free(body);
			return false;
		}
	}
	explicit_bzero(page, sizeof(page));
	return true;
}
