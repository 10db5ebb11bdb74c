// SPDX-License-Identifier: MIT
/*
 * Reads Chrystoki.conf; see config.h. Nothing is cached: the file is small and read only where
 * slots are searched and tokens are initialised, and a change shows without a restart.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uapi/luna.h>

#include "log.h"

#define CONFIG_BYTES_MAX	(256 * 1024)
#define CONFIG_BLANKS		" \t\r\n"

static char *config_load(void)
{
	const char *dir = secure_getenv("ChrystokiConfigurationPath");
	char path[4096], *text = NULL;
	ssize_t got, len = 0;
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/Chrystoki.conf", dir && *dir ? dir : "/etc");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= CONFIG_BYTES_MAX)
		text = malloc((size_t)st.st_size + 1);
	while (text && len < st.st_size) {
		got = read(fd, text + len, (size_t)(st.st_size - len));
		if (got <= 0)
			break;
		len += got;
	}
	if (text)
		text[len] = '\0';
	close(fd);
	return text;
}

/* Cuts blanks and one pair of quotes from both ends, in place. */
static char *config_trim(char *text)
{
	size_t len;

	text += strspn(text, CONFIG_BLANKS);
	len = strlen(text);
	while (len && strchr(CONFIG_BLANKS, text[len - 1]))
		text[--len] = '\0';
	if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
		text[len - 1] = '\0';
		text++;
	}
	return text;
}

/* Cuts the token that ends before one of @stops; returns the byte it stopped at, 0 at the end. */
static char config_cut(char **at, const char *stops, char **token)
{
	size_t len = strcspn(*at, stops);
	char stop = (*at)[len];

	*token = *at;
	(*at)[len] = '\0';
	*at += stop ? len + 1 : len;
	*token = config_trim(*token);
	return stop;
}

void p11_config_read(const char *section, p11_config_visit visit, void *context)
{
	char *text = config_load(), *at = text, *key, *value;
	const char *current = "";
	char stop;

	while (at && *(at += strspn(at, CONFIG_BLANKS ";"))) {
		if (*at == '#') {
			at += strcspn(at, "\n");
			continue;
		}
		stop = config_cut(&at, "={};\n", &key);
		if (stop == '=' && at[strspn(at, CONFIG_BLANKS)] == '{')
			stop = config_cut(&at, "{", &value);
		if (stop == '{') {
			current = key;
		} else if (stop == '}') {
			current = "";
		} else if (stop == '=') {
			stop = config_cut(&at, ";}\n", &value);
			if (!strcmp(current, section))
				visit(key, value, context);
			if (stop == '}')
				current = "";
		}
	}
	free(text);
}

static void config_token_type(const char *key, const char *value, void *context)
{
	uint32_t *type = context;

	if (!strcmp(key, "TokenType"))
		*type = strcasecmp(value, "legacy") ? LUNA_TOKEN_PPSO : LUNA_TOKEN_LEGACY;
}

uint32_t p11_config_token_type(void)
{
	const char *value = secure_getenv("LUNA_TOKEN_TYPE");
	uint32_t type = LUNA_TOKEN_PPSO;

	if (value && *value)
		config_token_type("TokenType", value, &type);
	else
		p11_config_read("Misc", config_token_type, &type);
	return type;
}

/* What the file says of the application id. */
struct config_app {
	bool halves, whole, bad;
	uint32_t half[2];
	uint8_t id[LUNA_APP_ID_LEN];
};

static bool config_number(const char *value, uint32_t *number)
{
	unsigned long long all;
	char *end;

	errno = 0;
	all = strtoull(value, &end, 0);
	*number = (uint32_t)all;
	return *value >= '0' && *value <= '9' && !*end && !errno && all <= 0xffffffffu;
}

static bool config_hex(const char *value, uint8_t *bytes, size_t len)
{
	unsigned int byte;
	size_t i;

	if (!strncasecmp(value, "0x", 2))
		value += 2;
	if (strlen(value) != 2 * len || strspn(value, "0123456789abcdefABCDEF") != 2 * len)
		return false;
	for (i = 0; i < len; i++) {
		if (sscanf(value + 2 * i, "%2x", &byte) != 1)
			return false;
		bytes[i] = (uint8_t)byte;
	}
	return true;
}

static void config_app_key(const char *key, const char *value, void *context)
{
	struct config_app *app = context;

	if (!strcmp(key, "AppId")) {
		app->whole = true;
		app->bad |= !config_hex(value, app->id, sizeof(app->id));
	} else if (!strcmp(key, "AppIdMajor") || !strcmp(key, "AppIdMinor")) {
		app->halves = true;
		app->bad |= !config_number(value, &app->half[!strcmp(key, "AppIdMinor")]);
	}
}

bool p11_config_app_id(uint8_t *id)
{
	struct config_app app = { 0 };
	size_t i;

	p11_config_read("Misc", config_app_key, &app);
	if (app.bad)
		p11_log_note("Chrystoki.conf: the application id is left alone: AppIdMajor and AppIdMinor "
			     "are numbers below 2^32, AppId is 32 hex digits");
	if (app.bad || (!app.whole && !app.halves))
		return false;
	for (i = 0; !app.whole && i < 8; i++)
		app.id[i] = (uint8_t)(app.half[i / 4] >> (24 - 8 * (i % 4)));
	memcpy(id, app.id, sizeof(app.id));
	return true;
}
