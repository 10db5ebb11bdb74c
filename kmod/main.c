// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * luna.ko: parameters, and the order in which its parts start and end.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "chardev.h"
#include "crypto.h"
#include "host.h"
#include "store.h"

enum {
	SLOTS_DEFAULT = 2,
	PIN_ITERATIONS_MIN = 1000,
	PIN_ITERATIONS_MAX = 100000000,
};

static unsigned int slots = SLOTS_DEFAULT;
module_param(slots, uint, 0444);
MODULE_PARM_DESC(slots, "Number of slots, 1 to 64 (default 2)");

static char *store;
module_param(store, charp, 0444);
MODULE_PARM_DESC(store, "Directory of tokens, root's alone (0700); empty: lost at unload");

static bool lax_ha_keys;
module_param(lax_ha_keys, bool, 0444);
MODULE_PARM_DESC(lax_ha_keys, "Check the usage flags alone of a key for HA login (default no)");

static unsigned int pin_iterations;
module_param(pin_iterations, uint, 0444);
MODULE_PARM_DESC(pin_iterations, "PBKDF2 rounds for new PINs, 1000 to 100000000 (default 100000)");

u32 luna_slots(void)
{
	return slots;
}

int luna_slot_start(u32 slot)
{
	const struct luna_config config = {
		.slot = slot,
		.host = "luna.ko",
		.flags = LUNA_CONFIG_LONG | (lax_ha_keys ? LUNA_CONFIG_LAX_HA_KEYS : 0),
		.pin_iterations = pin_iterations,
	};

	return luna_slot_plug(&config);
}

static int check_parameters(void)
{
	if (!slots || slots > LUNA_SLOTS_MAX) {
		pr_err("slots=%u: choose 1 to %d\n", slots, LUNA_SLOTS_MAX);
		return -EINVAL;
	}
	if (pin_iterations &&
	    (pin_iterations < PIN_ITERATIONS_MIN || pin_iterations > PIN_ITERATIONS_MAX)) {
		pr_err("pin_iterations=%u: choose %d to %d\n", pin_iterations, PIN_ITERATIONS_MIN,
		       PIN_ITERATIONS_MAX);
		return -EINVAL;
	}
	return 0;
}

static void stop_slots(void)
{
	u32 slot;

	for (slot = slots; slot--; )
		luna_slot_unplug(slot, false);
}

static int start_slots(void)
{
	u32 slot;
	int err = 0;

	for (slot = 0; slot < slots && !err; slot++)
		err = luna_slot_start(slot);
	if (err)
		stop_slots();
	return err;
}

static int __init luna_init(void)
{
	int err;

	err = check_parameters();
	if (err)
		return err;
	err = luna_kcrypto_init();
	if (err)
		return err;
	err = luna_store_init(store);
	if (err)
		goto err_crypto;
	err = luna_chardev_init();
	if (err)
		goto err_store;
	err = start_slots();
	if (err)
		goto err_chardev;
	pr_info("%u slots, %s%s\n", slots, store && *store ? "store " : "volatile",
		store && *store ? store : "");
	return 0;

err_chardev:
	luna_chardev_exit();
err_store:
	luna_store_exit();
err_crypto:
	luna_kcrypto_exit();
	return err;
}

static void __exit luna_exit(void)
{
	stop_slots();
	luna_chardev_exit();
	luna_store_exit();
	luna_kcrypto_exit();
}

module_init(luna_init);
module_exit(luna_exit);

MODULE_DESCRIPTION("Software HSM token");
MODULE_LICENSE("Dual MIT/GPL");
MODULE_SOFTDEP("pre: sha1 sha256 sha512 sha3-256 hmac cmac ecb cbc ctr gcm aes rsa");
MODULE_SOFTDEP("pre: des3_ede-x86_64 des_generic ecdh curve25519");
MODULE_SOFTDEP("pre: aesni_intel sha1_ssse3 sha256_ssse3 sha512_ssse3");
