// SPDX-License-Identifier: MIT
#include "service/sim_spec.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "driver/driver.h"

static void full_string(void **state)
{
	struct sim_spec spec;

	(void)state;
	assert_int_equal(sim_spec_parse("sim:npu37", &spec, NULL), 0);
	assert_string_equal(spec.gen, "npu37");
	assert_int_equal(spec.device_id, 0);
	assert_null(spec.engine);
	assert_int_equal(spec.threads, 0);
	assert_false(spec.stepped || spec.strict);
	assert_int_equal(sim_spec_parse("sim:npu37,strict,seed=0x10,stepped,threads=4,"
					"engine=onednn,pci=ad1d,trace=/tmp/a b",
					&spec, NULL),
			 0);
	assert_int_equal(spec.device_id, 0xad1d);
	assert_string_equal(spec.engine, "onednn");
	assert_int_equal(spec.threads, 4);
	assert_int_equal(spec.seed, 16);
	assert_true(spec.stepped && spec.strict);
	assert_string_equal(spec.trace, "/tmp/a b");
	assert_int_equal(sim_spec_parse("sim:npu37,pci=0x7D1D", &spec, NULL), 0);
	assert_int_equal(spec.device_id, 0x7d1d);
	assert_int_equal(spec.sched, DRV_SCHED_AUTO);
	assert_int_equal(sim_spec_parse("sim:ref,pci=7d1d", &spec, NULL),
			 0); /* of two generations */
	assert_string_equal(spec.gen, "ref");
	assert_int_equal(sim_spec_parse("sim:npu60,sched=os", &spec, NULL), 0);
	assert_int_equal(spec.sched, DRV_SCHED_OS);
	assert_int_equal(sim_spec_parse("sim:npu40,sched=hw", &spec, NULL), 0);
	assert_int_equal(spec.sched, DRV_SCHED_HW);
	assert_string_equal(spec.gen, "npu40");
}

static void refused(const char *device, const char *hint)
{
	struct sim_spec spec = { .threads = 77 };
	struct base_err err = { 0 };

	assert_int_equal(sim_spec_parse(device, &spec, &err), -EINVAL);
	assert_int_equal(spec.threads, 77);
	if (!strstr(err.text, hint))
		fail_msg("%s: \"%s\" does not say \"%s\"", device, err.text, hint);
}

static void bad_strings(void **state)
{
	char part[2 * SIM_PART_MAX];

	(void)state;
	refused("sim:", "generation is \"\", expected npu37");
	refused("sim:npu36", "generation is \"npu36\"");
	refused("sim:NPU37", "NPU37");
	refused("sim:npu37,", "option \"\" is unknown");
	refused("sim:npu37,turbo", "option \"turbo\" is unknown, expected sim:GEN");
	refused("sim:npu37 ,stepped", "generation");
	refused("sim:npu37,stepped=1", "stepped does not take a value");
	refused("sim:npu37,stepped,stepped", "given twice");
	refused("sim:npu37,seed", "seed needs a value");
	refused("sim:npu37,sched=linux", "sched is \"linux\", expected auto, os or hw");
	refused("sim:npu37,trace=", "trace needs the name of a file");
	refused("sim:npu37,seed=", "seed is \"\"");
	refused("sim:npu37,seed=-1", "seed is \"-1\"");
	refused("sim:npu37,seed=1,seed=2", "given twice");
	refused("sim:npu37,threads=0", "expected 1 to 256");
	refused("sim:npu37,threads=257", "expected 1 to 256");
	refused("sim:npu37,threads=two", "threads is \"two\"");
	refused("sim:npu37,engine=cuda", "expected plain or onednn");
	refused("sim:npu37,engine=", "expected plain or onednn");
	refused("sim:npu37,pci=643e", "ids of npu37 are 0x7d1d (");
	refused("sim:npu37,pci=", "ids of npu37");
	refused("sim:npu37,pci=17d1d", "ids of npu37");
	refused("sim:npu37,pci=7d1dq", "ids of npu37");
	snprintf(part, sizeof(part), "sim:npu37,trace=%0*u", (int)SIM_PART_MAX, 1);
	refused(part, "too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(full_string),
		cmocka_unit_test(bad_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
