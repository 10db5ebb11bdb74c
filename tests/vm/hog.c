// SPDX-License-Identifier: MIT
/* Takes memory until there is none: killed for it, or ended with 1 where it is refused. */
#include <stdlib.h>
#include <string.h>

enum { PIECE = 4 << 20 };

int main(void)
{
	char *piece;

	for (;;) {
		piece = malloc(PIECE);
		if (!piece)
			return 1;
		memset(piece, 1, PIECE);
	}
}
