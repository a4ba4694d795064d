// SPDX-License-Identifier: MIT
/*
 * Finding libvnpu_engine.so.  A program run out of its build folder and one that is installed both
 * have it at a known place beside them; whoever has it elsewhere says so in VNPU_ENGINE_PATH.
 */
#include "vnpu/engine/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY "libvnpu_engine.so"

/* From the folder of the program or library that holds this code. */
static const char *const places[] = {
	"",			  /* installed beside, or a test of this folder */
	"../vnpu/engine/",	  /* build folder: src/cli, src/client */
	"../src/vnpu/engine/",	  /* build folder: bin, bench */
	"../../src/vnpu/engine/", /* build folder: tests/integration */
	"../lib/",		  /* installed: bin */
};

struct search {
	const struct vnpu_engine *engine;
	char tried[400]; /* "path: reason; path" */
	size_t len;
};

static void note(struct search *s, const char *path, const char *reason)
{
	int n;

	if (s->len >= sizeof(s->tried))
		return;
	n = snprintf(s->tried + s->len, sizeof(s->tried) - s->len, "%s%s%s%s", s->len ? "; " : "",
		     path, reason ? ": " : "", reason ? reason : "");
	if (n > 0)
		s->len += (size_t)n;
}

/* dlerror() starts with the path, which is named already. */
static const char *load_error(const char *path)
{
	const char *text = dlerror();
	size_t len = strlen(path);

	if (!text)
		return "unknown error";
	if (!strncmp(text, path, len) && !strncmp(text + len, ": ", 2))
		text += len + 2;
	return text;
}

static bool try_load(struct search *s, const char *path)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	const struct vnpu_engine *engine;

	if (!lib) {
		note(s, path, load_error(path));
		return false;
	}
	engine = dlsym(lib, VNPU_ENGINE_ONEDNN_SYMBOL);
	if (!engine)
		note(s, path, "no engine in it");
	else if (engine->abi != VNPU_ENGINE_ABI)
		note(s, path, "an engine of another release");
	else
		s->engine = engine;
	dlclose(lib); /* RTLD_NODELETE: what was found stays */
	return s->engine;
}

/* @file: the program or library; tries each place that exists. */
static bool try_beside(struct search *s, const char *file)
{
	const char *slash = strrchr(file, '/');
	char path[PATH_MAX];
	int n;

	if (!slash)
		return false;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(places); i++) {
		n = snprintf(path, sizeof(path), "%.*s/%s" LIBRARY, (int)(slash - file), file,
			     places[i]);
		if (n < 0 || (size_t)n >= sizeof(path))
			continue;
		if (access(path, F_OK))
			note(s, path, NULL);
		else if (try_load(s, path))
			return true;
	}
	return false;
}

static bool try_beside_program(struct search *s)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n <= 0)
		return false;
	path[n] = '\0';
	return try_beside(s, path);
}

static bool try_beside_code(struct search *s)
{
	char path[PATH_MAX];
	Dl_info info;

	if (!dladdr((const void *)places, &info) || !info.dli_fname ||
	    !realpath(info.dli_fname, path))
		return false;
	return try_beside(s, path);
}

int vnpu_engine_load(const struct vnpu_engine **out, struct base_err *err)
{
	const char *set = secure_getenv("VNPU_ENGINE_PATH");
	struct search s = { .engine = NULL };
	bool found;

	if (set && *set)
		found = try_load(&s, set);
	else
		found = try_beside_program(&s) || try_beside_code(&s) || try_load(&s, LIBRARY);
	if (!found)
		return base_err_set(err, -ENOENT,
				    "engine onednn: " LIBRARY " cannot be loaded; use the plain "
				    "engine or name the library in VNPU_ENGINE_PATH (tried: %s)",
				    s.tried);
	*out = s.engine;
	return 0;
}
