/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Handlers of the commands; the table in cmd.c says which struct and which lock each one gets. */
#ifndef LUNA_TOKEN_CMD_H
#define LUNA_TOKEN_CMD_H

#include "token.h"

/* cmd.c: LUNA_GET_INFO, LUNA_DATA_PUT, LUNA_DATA_GET */
/* token.c */
u32 luna_do_slot_info(struct luna_ucmd *cmd);
u32 luna_do_init_token(struct luna_ucmd *cmd);
u32 luna_do_set_domain(struct luna_ucmd *cmd);
u32 luna_do_random(struct luna_ucmd *cmd);
u32 luna_do_seed(struct luna_ucmd *cmd);
/* session.c; those marked * run without the session locked */
u32 luna_do_app_id(struct luna_ucmd *cmd);	/* app.c */
u32 luna_do_session_open(struct luna_ucmd *cmd);
u32 luna_do_session_close(struct luna_ucmd *cmd);	/* * */
u32 luna_do_session_close_all(struct luna_ucmd *cmd);	/* * */
u32 luna_do_session_info(struct luna_ucmd *cmd);	/* * */
u32 luna_do_reset(struct luna_ucmd *cmd);		/* * */
/* role.c */
u32 luna_do_init_pin(struct luna_ucmd *cmd);
u32 luna_do_set_pin(struct luna_ucmd *cmd);
u32 luna_do_login(struct luna_ucmd *cmd);
u32 luna_do_logout(struct luna_ucmd *cmd);		/* * */
u32 luna_do_role_state(struct luna_ucmd *cmd);
/* policy.c */
u32 luna_do_policy_list(struct luna_ucmd *cmd);
u32 luna_do_policy_set(struct luna_ucmd *cmd);
/* object.c, find.c */
u32 luna_do_object_create(struct luna_ucmd *cmd);
u32 luna_do_object_copy(struct luna_ucmd *cmd);
u32 luna_do_object_destroy(struct luna_ucmd *cmd);
u32 luna_do_object_size(struct luna_ucmd *cmd);
u32 luna_do_attr_get(struct luna_ucmd *cmd);
u32 luna_do_attr_set(struct luna_ucmd *cmd);
u32 luna_do_find(struct luna_ucmd *cmd);
/* mech.c */
u32 luna_do_mech_list(struct luna_ucmd *cmd);
/* provider.c */
u32 luna_do_provider_list(struct luna_ucmd *cmd);
/* op.c */
u32 luna_do_op(struct luna_ucmd *cmd);
/* message.c */
u32 luna_do_message(struct luna_ucmd *cmd);
/* keygen.c, wrap.c, derive.c */
u32 luna_do_generate_key(struct luna_ucmd *cmd);
u32 luna_do_generate_pair(struct luna_ucmd *cmd);
u32 luna_do_wrap(struct luna_ucmd *cmd);
u32 luna_do_unwrap(struct luna_ucmd *cmd);
u32 luna_do_derive(struct luna_ucmd *cmd);
/* clone.c */
u32 luna_do_clone_source_init(struct luna_ucmd *cmd);
u32 luna_do_clone_target_init(struct luna_ucmd *cmd);
u32 luna_do_clone_source(struct luna_ucmd *cmd);
u32 luna_do_clone_target(struct luna_ucmd *cmd);
/* ha.c */
u32 luna_do_ha_init(struct luna_ucmd *cmd);
u32 luna_do_ha_master_public(struct luna_ucmd *cmd);
u32 luna_do_ha_challenge(struct luna_ucmd *cmd);
u32 luna_do_ha_answer(struct luna_ucmd *cmd);
u32 luna_do_ha_login(struct luna_ucmd *cmd);
u32 luna_do_ha_mofn_answer(struct luna_ucmd *cmd);
u32 luna_do_ha_mofn_activate(struct luna_ucmd *cmd);
/* mofn.c */
u32 luna_do_mofn_generate(struct luna_ucmd *cmd);
u32 luna_do_mofn_activate(struct luna_ucmd *cmd);
u32 luna_do_mofn_deactivate(struct luna_ucmd *cmd);
u32 luna_do_mofn_status(struct luna_ucmd *cmd);

/* image.c */
u32 luna_do_image_export(struct luna_ucmd *cmd);
u32 luna_do_image_get(struct luna_ucmd *cmd);
u32 luna_do_image_put(struct luna_ucmd *cmd);
u32 luna_do_image_restore(struct luna_ucmd *cmd);

#endif /* LUNA_TOKEN_CMD_H */
