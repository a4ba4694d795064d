// SPDX-License-Identifier: MIT
#include "service/sim_spec.h"

#include <errno.h>
#include <string.h>

#include "regs/gen.h"
#include "service/path.h"

#define PART_SIZE SIM_PART_MAX /* with its NUL */

struct option {
	const char *key;
	bool has_value;
	int (*set)(struct sim_spec *spec, const char *value, struct base_err *err);
};

static void list_gens(char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; reg_gen_by_idx(i) && used < size; i++) {
		int len = snprintf(buf + used, size - used, "%s%s", i ? ", " : "",
				   reg_gen_by_idx(i)->name);

		used += len > 0 ? (size_t)len : 0;
	}
}

static void list_ids(const struct reg_gen *gen, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (u32 i = 0; gen->ids[i].product && used < size; i++) {
		int len = snprintf(buf + used, size - used, "%s0x%04x (%s)", i ? ", " : "",
				   gen->ids[i].device, gen->ids[i].product);

		used += len > 0 ? (size_t)len : 0;
	}
}

static int set_gen(struct sim_spec *spec, const char *value, struct base_err *err)
{
	const struct reg_gen *gen = reg_gen_by_name(value);
	char known[128];

	if (!gen) {
		list_gens(known, sizeof(known));
		return base_err_set(err, -EINVAL, "device: generation is \"%s\", expected %s",
				    value, known);
	}
	spec->gen = gen->name;
	return 0;
}

/* Ids are written in hex everywhere, with or without 0x. */
static bool parse_id(const char *value, u16 *out)
{
	char hex[PART_SIZE + 2];
	u64 id;

	snprintf(hex, sizeof(hex), "0x%s", strncmp(value, "0x", 2) == 0 ? value + 2 : value);
	if (!svc_parse_u64(hex, strlen(hex), &id) || !id || id > UINT16_MAX)
		return false;
	*out = (u16)id;
	return true;
}

static int set_pci(struct sim_spec *spec, const char *value, struct base_err *err)
{
	const struct reg_gen *gen = reg_gen_by_name(spec->gen);
	char known[256];

	if (!parse_id(value, &spec->device_id) || !reg_gen_has_id(gen, spec->device_id)) {
		list_ids(gen, known, sizeof(known));
		return base_err_set(err, -EINVAL, "device: pci is \"%s\", ids of %s are %s", value,
				    spec->gen, known);
	}
	return 0;
}

static int set_engine(struct sim_spec *spec, const char *value, struct base_err *err)
{
	static const char *const engines[] = { "plain", "onednn" };

	for (u32 i = 0; i < BASE_ARRAY_SIZE(engines); i++) {
		if (strcmp(value, engines[i]) == 0) {
			spec->engine = engines[i];
			return 0;
		}
	}
	return base_err_set(err, -EINVAL, "device: engine is \"%s\", expected plain or onednn",
			    value);
}

static int set_threads(struct sim_spec *spec, const char *value, struct base_err *err)
{
	u64 threads;

	if (!svc_parse_u64(value, strlen(value), &threads) || !threads || threads > SIM_MAX_THREADS)
		return base_err_set(err, -EINVAL, "device: threads is \"%s\", expected 1 to %u",
				    value, SIM_MAX_THREADS);
	spec->threads = (u32)threads;
	return 0;
}

static int set_seed(struct sim_spec *spec, const char *value, struct base_err *err)
{
	if (!svc_parse_u64(value, strlen(value), &spec->seed))
		return base_err_set(err, -EINVAL,
				    "device: seed is \"%s\", expected a number, decimal or 0x hex",
				    value);
	return 0;
}

static int set_trace(struct sim_spec *spec, const char *value, struct base_err *err)
{
	if (!value[0])
		return base_err_set(err, -EINVAL, "device: trace needs the name of a file");
	snprintf(spec->trace, sizeof(spec->trace), "%s", value); /* a part is no longer */
	return 0;
}

static int set_sched(struct sim_spec *spec, const char *value, struct base_err *err)
{
	static const char *const scheds[] = { "auto", "os", "hw" }; /* enum drv_sched */

	for (u32 i = 0; i < BASE_ARRAY_SIZE(scheds); i++) {
		if (strcmp(value, scheds[i]) == 0) {
			spec->sched = i;
			return 0;
		}
	}
	return base_err_set(err, -EINVAL, "device: sched is \"%s\", expected auto, os or hw",
			    value);
}

static int set_stepped(struct sim_spec *spec, const char *value, struct base_err *err)
{
	(void)value;
	(void)err;
	spec->stepped = true;
	return 0;
}

static int set_strict(struct sim_spec *spec, const char *value, struct base_err *err)
{
	(void)value;
	(void)err;
	spec->strict = true;
	return 0;
}

static const struct option options[] = {
	{ "pci", true, set_pci },	  { "engine", true, set_engine },
	{ "threads", true, set_threads }, { "stepped", false, set_stepped },
	{ "seed", true, set_seed },	  { "strict", false, set_strict },
	{ "trace", true, set_trace },	  { "sched", true, set_sched },
};

/* "key" or "key=value" in @part, which is cut in two. */
static int set_option(struct sim_spec *spec, char *part, u32 *seen, struct base_err *err)
{
	char *value = strchr(part, '=');

	if (value)
		*value++ = '\0';
	for (u32 i = 0; i < BASE_ARRAY_SIZE(options); i++) {
		const struct option *option = &options[i];

		if (strcmp(part, option->key) != 0)
			continue;
		if (*seen & BASE_BIT(i))
			return base_err_set(err, -EINVAL, "device: %s is given twice", part);
		*seen |= BASE_BIT(i);
		if (option->has_value != (value != NULL))
			return base_err_set(err, -EINVAL, "device: %s %s a value", part,
					    option->has_value ? "needs" : "does not take");
		return option->set(spec, value, err);
	}
	return base_err_set(err, -EINVAL, "device: option \"%s\" is unknown, expected " SIM_FORM,
			    part);
}

/* Cuts the next part off *@rest, which becomes NULL at the end. */
static int next_part(const char **rest, char *part, struct base_err *err)
{
	const char *comma = strchr(*rest, ',');
	size_t len = comma ? (size_t)(comma - *rest) : strlen(*rest);

	if (len >= PART_SIZE)
		return base_err_set(err, -EINVAL,
				    "device: \"%.20s...\" is too long, expected " SIM_FORM, *rest);
	memcpy(part, *rest, len);
	part[len] = '\0';
	*rest = comma ? comma + 1 : NULL;
	return 0;
}

int sim_spec_parse(const char *device, struct sim_spec *out, struct base_err *err)
{
	const char *rest = device + strlen(SIM_PREFIX);
	struct sim_spec spec = { 0 };
	char part[PART_SIZE];
	u32 seen = 0;
	int ret = next_part(&rest, part, err);

	if (!ret)
		ret = set_gen(&spec, part, err);
	while (!ret && rest) {
		ret = next_part(&rest, part, err);
		if (!ret)
			ret = set_option(&spec, part, &seen, err);
	}
	if (!ret)
		*out = spec;
	return ret;
}
