// SPDX-License-Identifier: MIT
/*
 * Writes the project's own firmware image for a generation: header, version page and a few empty
 * pages with the addresses the hardware expects.  The virtual NPU, and Linux's driver on it, boot it.
 *
 * usage: fw_make FILE [GENERATION]
 */
#include <stdio.h>
#include <stdlib.h>

#include "abi/fw_image.h"
#include "regs/gen.h"

static int write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "wb");
	int bad;

	if (!f) {
		perror(path);
		return 1;
	}
	bad = fwrite(data, 1, size, f) != size;
	bad |= fclose(f) != 0;
	if (bad)
		perror(path);
	return bad;
}

int main(int argc, char **argv)
{
	const struct reg_gen *gen = reg_gen_by_name(argc > 2 ? argv[2] : "npu37");
	struct abi_fw_spec spec;
	size_t size;
	void *image;
	int ret;

	if (argc < 2 || argc > 3 || !gen) {
		fprintf(stderr, "%s %s\n",
			gen ? "usage: fw_make FILE [GENERATION]; not" : "no generation",
			argv[argc - 1]);
		return 2;
	}
	abi_fw_spec_init(&spec, gen->va.runtime.start, gen->va.runtime.end, gen->nnrt_api);
	size = abi_fw_image_size(&spec);
	image = calloc(1, size);
	ret = !image || abi_fw_image_write(&spec, image, size) || write_file(argv[1], image, size);
	free(image);
	return ret;
}
