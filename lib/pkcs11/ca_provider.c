// SPDX-License-Identifier: MIT
/*
 * CA_GetAlgorithmProviders: which part of the device's host computes which algorithm. The vendor's
 * library has nothing like it, since the product computes everything itself.
 */
#include <stdlib.h>
#include <string.h>

#include "library.h"
#include "transport.h"

static CK_RV provider_rows(struct p11_slot *slot, struct luna_provider **rows, size_t *count)
{
	struct luna_provider_list list = { 0 };
	void *all;
	CK_RV rv = p11_slot_rows(slot, LUNA_PROVIDER_LIST, &list.hdr, sizeof(list), sizeof(**rows),
				 &all, count);

	*rows = all;
	return rv;
}

static void provider_copy(CK_ALGORITHM_PROVIDER *to, const struct luna_provider *from)
{
	memset(to, 0, sizeof(*to));
	memcpy(to->algorithm, from->algorithm, sizeof(to->algorithm) - 1);
	memcpy(to->provider, from->provider, sizeof(to->provider) - 1);
	memcpy(to->implementation, from->implementation, sizeof(to->implementation) - 1);
}

static CK_RV providers_fill(struct p11_slot *slot, CK_ALGORITHM_PROVIDER *providers, CK_ULONG *count)
{
	struct luna_provider *rows = NULL;
	CK_ULONG room = *count;
	size_t n, i;
	CK_RV rv = provider_rows(slot, &rows, &n);

	if (rv == CKR_OK) {
		*count = n;
		if (providers && room < n)
			rv = CKR_BUFFER_TOO_SMALL;
		for (i = 0; providers && rv == CKR_OK && i < n; i++)
			provider_copy(&providers[i], &rows[i]);
	}
	free(rows);
	return rv;
}

/*
 * As C_GetMechanismList: without @pProviders the number of rows alone. CKR_FUNCTION_NOT_SUPPORTED
 * from a device that is older than the call.
 */
CK_RV CA_GetAlgorithmProviders(CK_SLOT_ID slotID, CK_ALGORITHM_PROVIDER_PTR pProviders,
			       CK_ULONG_PTR pulCount)
{
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK && !pulCount)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = providers_fill(call.slot, pProviders, pulCount);
	return p11_end(&call, rv);
}
