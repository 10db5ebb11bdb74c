/* SPDX-License-Identifier: MIT */
#ifndef LUNA_MOUNT_H
#define LUNA_MOUNT_H

struct fuse_session;

/**
 * mount_prepare() - see to it that a file system can be mounted on a directory
 * @dir: absolute; is created (0700) if missing, and freed of the mount of a luna-fuse that died.
 *	Refused if a living one is there, if it belongs to someone else or is not empty.
 *
 * Return: 0 or a negative errno after the reason was reported.
 */
int mount_prepare(const char *dir);

/* mount_session() - mount: Return: 0 or a negative errno after the reason was reported */
int mount_session(struct fuse_session *session, const char *dir);

/**
 * mount_helper_start() - a process that unmounts when this one no longer may
 * @dir: what this process has mounted
 *
 * fusermount3 needs new privileges, and a process under Landlock may not unmount at all. The helper
 * is forked before there are secrets; it ends with this process, and only when asked it unmounts.
 *
 * Return: 0 or a negative errno after the reason was reported.
 */
int mount_helper_start(const char *dir);

/**
 * mount_end() - unmount, unless somebody else did
 * By the helper if one was started.
 */
void mount_end(struct fuse_session *session);

#endif /* LUNA_MOUNT_H */
