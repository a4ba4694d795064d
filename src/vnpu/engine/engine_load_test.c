// SPDX-License-Identifier: MIT
/* Which files are taken for the engine library, and what is said about the others. */
#include "vnpu/engine/engine_load.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A folder with our own file and a library that is none. */
struct place {
	char dir[64], own[128], lib[128];
};

static void make_file(const char *path, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs("not a library", f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void place_init(struct place *p, mode_t own, mode_t lib)
{
	strcpy(p->dir, "/tmp/engine_load_test_XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	snprintf(p->own, sizeof(p->own), "%s/own", p->dir);
	snprintf(p->lib, sizeof(p->lib), "%s/" VNPU_ENGINE_LIBRARY, p->dir);
	make_file(p->own, own);
	make_file(p->lib, lib);
}

static void place_fini(struct place *p)
{
	unlink(p->own);
	unlink(p->lib);
	assert_int_equal(rmdir(p->dir), 0);
}

static void want_said(mode_t own, mode_t lib, const char *what)
{
	struct search s = { .engine = NULL };
	struct place p;

	place_init(&p, own, lib);
	assert_false(try_beside(&s, p.own));
	assert_null(s.engine);
	if (!strstr(s.tried, what))
		fail_msg("'%s' wanted in: %s", what, s.tried);
	assert_non_null(strstr(s.tried, p.lib));
	place_fini(&p);
}

static void others_must_not_write(void **state)
{
	(void)state;
	want_said(0755, 0644, "file too short"); /* trusted: the loader had a look */
	want_said(0755, 0646, "somebody else can write");
	want_said(0755, 0664, "somebody else can write");
	want_said(0775, 0664, "file too short"); /* whoever may write to ours */
	want_said(0775, 0666, "somebody else can write");
}

static void owner_is_ours_or_root(void **state)
{
	struct stat own = { .st_uid = 1000, .st_gid = 100, .st_mode = 0775 };
	struct stat st = { .st_uid = 1000, .st_gid = 100, .st_mode = 0775 };

	(void)state;
	assert_true(is_trusted(&st, &own));
	st.st_gid = 101; /* another group may write */
	assert_false(is_trusted(&st, &own));
	st.st_mode = 0755;
	assert_true(is_trusted(&st, &own));
	st.st_uid = 1001;
	assert_false(is_trusted(&st, &own));
	st.st_uid = 0;
	assert_true(is_trusted(&st, &own));
}

static void named_place_is_the_only_one(void **state)
{
	const struct vnpu_engine *engine = NULL;
	void *handle = NULL;
	struct base_err err;
	struct place p;

	(void)state;
	place_init(&p, 0755, 0644);
	setenv("VNPU_ENGINE_PATH", p.dir, 1);
	assert_int_equal(vnpu_engine_load(&engine, &handle, &err), -ENOENT);
	assert_non_null(strstr(err.text, p.lib));
	assert_null(strstr(err.text, ";")); /* one place only */
	setenv("VNPU_ENGINE_PATH", "libm.so.6", 1);
	assert_int_equal(vnpu_engine_load(&engine, &handle, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no engine in it"));
	unsetenv("VNPU_ENGINE_PATH");
	assert_null(engine);
	place_fini(&p);
	vnpu_engine_unload(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(others_must_not_write),
		cmocka_unit_test(owner_is_ours_or_root),
		cmocka_unit_test(named_place_is_the_only_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
