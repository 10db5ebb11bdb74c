/* SPDX-License-Identifier: MIT */
#ifndef LUNA_FUSE_VERSION_H
#define LUNA_FUSE_VERSION_H

/* The build says which; this is for compiling by hand. */
#ifndef LUNA_VERSION
#define LUNA_VERSION "0.1"
#endif

#endif /* LUNA_FUSE_VERSION_H */
