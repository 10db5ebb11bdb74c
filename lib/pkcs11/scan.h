/* SPDX-License-Identifier: MIT */
/*
 * Where device files are searched, in this order:
 *
 *   1. $LUNA_DEVICES, a colon-separated list of directories and device files; nothing else then
 *   2. the DeviceDir settings of the configuration file (config.h); nothing else then
 *   3. /dev
 *   4. $LUNA_FUSE_DIR
 *   5. $XDG_RUNTIME_DIR/luna
 *   6. /run/user/<uid>/luna, of the effective user
 *
 * A device file is called luna<N>; the files of a directory are taken by ascending N. A directory
 * that is reached twice counts once. The environment is ignored in setuid programs.
 */
#ifndef P11_SCAN_H
#define P11_SCAN_H

/** typedef p11_scan_visit - sees one candidate: the path of a file with the right name */
typedef void (*p11_scan_visit)(const char *path, void *context);

/** p11_scan() - show @visit every candidate, in the order above; nothing is opened */
void p11_scan(p11_scan_visit visit, void *context);

#endif /* P11_SCAN_H */
