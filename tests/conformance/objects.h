/* SPDX-License-Identifier: MIT */
/* What the parts of the suite "objects" share: templates that grow, and objects made of them. */
#ifndef LUNA_TESTS_OBJECTS_H
#define LUNA_TESTS_OBJECTS_H

#include "suite.h"

extern CK_OBJECT_CLASS data_class, public_class, private_class, secret_class;
extern CK_KEY_TYPE aes_type, rsa_type, generic_type;
extern CK_BYTE aes_value[32];

/* ---- templates ---- */

struct tmpl {
	CK_ATTRIBUTE attrs[64];
	CK_ULONG count;
};

void add(struct tmpl *t, CK_ATTRIBUTE_TYPE type, const void *value, CK_ULONG len);
#define ADD(t, type, value)	add(t, type, &(value), sizeof(value))

/* Those of a data object, and of an AES key of @len bytes of aes_value. */
void data_tmpl(struct tmpl *t, const char *label);
void aes_tmpl(struct tmpl *t, CK_ULONG len);

/* ---- objects ---- */

/* C_CreateObject */
CK_RV create(CK_SESSION_HANDLE session, struct tmpl *t, CK_OBJECT_HANDLE *obj);

/* A data object, which must be made. */
CK_OBJECT_HANDLE data_create(CK_SESSION_HANDLE session, const char *label, bool token,
			     bool private);

/* C_SetAttributeValue with one attribute */
CK_RV set_bool(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type,
	       CK_BBOOL value);
CK_RV set_label(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, const char *label);

bool exists(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj);

/* ---- the tests of each part ---- */

/* objects_rsa.c */
void rsa_import(void **state);
void rsa_import_errors(void **state);

/* objects_attrs.c */
void get_errors(void **state);
void get_partly(void **state);
void set_attributes(void **state);
void latches(void **state);
void not_modifiable(void **state);
void not_destroyable(void **state);
void copy_objects(void **state);
void copy_errors(void **state);

/* objects_access.c */
void destroy_object(void **state);
void private_objects(void **state);
void session_objects_end(void **state);
void other_process(void **state);
void read_only_sessions(void **state);
void crypto_user(void **state);
void trusted_by_so(void **state);
void handles_not_reused(void **state);
void destroy_multiple(void **state);

/* objects_find.c */
void find_basics(void **state);
void find_state(void **state);
void find_stays_open(void **state);
void find_thousands(void **state);
void find_by_ouid(void **state);

#endif /* LUNA_TESTS_OBJECTS_H */
