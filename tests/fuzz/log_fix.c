// SPDX-License-Identifier: MIT
/*
 * Puts a log right; see log_fix.h.
 */
#include "log_file.h"
#include "log_fix.h"

/* The record at @at, made whole. Return: where the next one stands, or 0: nothing fits any more. */
static size_t fix_record(u8 *file, size_t len, size_t at, u32 salted, u64 sequence)
{
	struct luna_rec rec;
	size_t left = len - at;

	if (left < LUNA_REC_HEAD)
		return 0;
	left -= LUNA_REC_HEAD;
	rec.type = file[at + 4];
	rec.flags = file[at + 5];
	rec.handle = get_unaligned_le32(file + at + 8);
	rec.len = min_t(u32, get_unaligned_le32(file + at + 12), left & ~7u);
	rec.sequence = sequence;
	rec.durable = get_unaligned_le64(file + at + 24);
	rec.crc = luna_crc32(file + at + LUNA_REC_HEAD, rec.len);
	luna_rec_put(salted, &rec, file + at);
	return at + luna_rec_size(rec.len);
}

void log_fix(u8 *file, size_t len, bool torn)
{
	struct luna_log_head head;
	u64 sequence;
	size_t at, next;

	if (len < LUNA_LOG_HEAD)
		return;
	head.top = get_unaligned_le32(file + 12);
	head.salt = get_unaligned_le64(file + 16);
	head.sequence = get_unaligned_le64(file + 24);
	head.base = get_unaligned_le64(file + 32);
	luna_log_head_put(&head, file);
	sequence = head.sequence;
	for (at = LUNA_LOG_HEAD; at && at <= len; at = next) {
		next = fix_record(file, len, at, luna_log_salted(head.salt), sequence++);
		if (torn && len - next < LUNA_REC_HEAD)
			file[at + LUNA_REC_HEAD - 1] ^= 1;
	}
}
