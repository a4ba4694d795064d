// SPDX-License-Identifier: MIT
/*
 * fw-make: write the project's own small firmware image, the one that is built in.
 *
 * A virtual NPU plays the firmware itself and only reads the header, so the image has no code.  As a
 * file it lets Linux's intel_vpu boot a virtual NPU without Intel's firmware: put it under one of
 * the names the driver searches, for example /lib/firmware/intel/vpu/vpu_37xx_v1.bin.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/fw_image.h"
#include "regs/gen.h"

static int usage(FILE *to)
{
	fprintf(to,
		"usage: fw-make [--hws] GENERATION FILE\n\n"
		"Writes the built-in firmware image of GENERATION to FILE; with --hws it has the\n"
		"JSM version from which on Linux schedules in hardware.  Generations:");
	for (unsigned int i = 0; reg_gen_by_idx(i); i++)
		fprintf(to, " %s", reg_gen_by_idx(i)->name);
	fprintf(to, "\n");
	return to == stderr ? 2 : 0;
}

static int write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "wb");
	bool ok;

	if (!f) {
		fprintf(stderr, "fw-make: %s: %s\n", path, strerror(errno));
		return 1;
	}
	ok = fwrite(data, 1, size, f) == size;
	ok &= fclose(f) == 0;
	if (!ok)
		fprintf(stderr, "fw-make: %s: writing failed: %s\n", path, strerror(errno));
	return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
	const struct reg_gen *gen;
	bool hws = argc > 1 && !strcmp(argv[1], "--hws");
	struct abi_fw_spec spec;
	size_t size;
	void *image;
	int ret;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return usage(stdout);
	argc -= hws;
	argv += hws;
	if (argc != 3)
		return usage(stderr);
	gen = reg_gen_by_name(argv[1]);
	if (!gen) {
		fprintf(stderr, "fw-make: no generation is called %s\n", argv[1]);
		return usage(stderr);
	}
	abi_fw_spec_init(&spec, gen->va.runtime.start, gen->va.runtime.end, gen->nnrt_api);
	if (hws)
		spec.jsm_api = ABI_FW_JSM_HWS;
	size = abi_fw_image_size(&spec);
	image = malloc(size);
	if (!image || abi_fw_image_write(&spec, image, size)) {
		fprintf(stderr, "fw-make: the image could not be made\n");
		free(image);
		return 1;
	}
	ret = write_file(argv[2], image, size);
	free(image);
	return ret;
}
