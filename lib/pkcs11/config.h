/* SPDX-License-Identifier: MIT */
/*
 * The client's configuration file, Chrystoki.conf: sections of "Key = value;" lines, as the
 * vendor's clients write and parse it. Sections and keys that mean nothing to this library are
 * ignored.
 *
 * The file is $ChrystokiConfigurationPath/Chrystoki.conf, or /etc/Chrystoki.conf when that variable
 * is not set. What this library reads:
 *
 *	Luna = {
 *		DeviceDir = /run/luna;		where device files are; DeviceDir00, ... add more
 *	}
 *	Misc = {
 *		TokenType = ppso;		or legacy: the type of tokens that C_InitToken makes
 *		AppIdMajor = 1;			the application id, as for CA_SetApplicationID;
 *		AppIdMinor = 40;		one of the two left out is 0
 *		AppId = 0f1e2d3c4b5a...;	or the 16 bytes of CA_SetApplicationIDV2, in hex
 *	}
 */
#ifndef P11_CONFIG_H
#define P11_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

/**
 * typedef p11_config_visit - sees one setting
 * @key: its name
 * @value: its value, without quotes and surrounding blanks
 * @context: what the caller of p11_config_read() passed
 */
typedef void (*p11_config_visit)(const char *key, const char *value, void *context);

/**
 * p11_config_read() - read the file now and show @visit every setting of @section, in file order
 */
void p11_config_read(const char *section, p11_config_visit visit, void *context);

/**
 * p11_config_token_type() - the type of token that the next C_InitToken makes
 * Read at every call: $LUNA_TOKEN_TYPE ("legacy" or "ppso"), else the file, else PPSO.
 * Return: LUNA_TOKEN_PPSO or LUNA_TOKEN_LEGACY.
 */
uint32_t p11_config_token_type(void);

/**
 * p11_config_app_id() - the application id that the file gives to every program
 * @id: 16 bytes
 * Return: false if it gives none, or one that is none, which the log tells.
 */
bool p11_config_app_id(uint8_t *id);

#endif /* P11_CONFIG_H */
