// SPDX-License-Identifier: MIT
/*
 * Finding libvnpu_engine.so.  $VNPU_ENGINE_PATH, when set, is the only place (ignored when
 * privileged).  Else places relative to the program and to the file this code is part of (the
 * installed layout and the build tree's), then the installed library folder.
 *
 * In a relative place a file is taken only if root or the owner of our own file owns it and nobody
 * may write to it who may not write to ours: a folder above ours may belong to somebody else.
 */
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vnpu/engine/engine.h"

#ifndef VNPU_ENGINE_LIBDIR
#define VNPU_ENGINE_LIBDIR "/usr/lib"
#endif

/* From the folder of the program, or of the library that holds this code. */
static const char *const relative[] = {
	"",			  /* side by side, or a test of this folder */
	"../lib/",		  /* installed: bin */
	"../vnpu/engine/",	  /* build folder: src/client, src/cli */
	"../src/vnpu/engine/",	  /* build folder: bin, bench, tests */
	"../../src/vnpu/engine/", /* build folder: tests/integration */
	"engine/",		  /* build folder: src/vnpu */
};

struct search {
	const struct vnpu_engine *engine;
	void *handle;
	char tried[400]; /* "path: reason; path: reason" */
	size_t len;
};

static void note(struct search *s, const char *path, const char *reason)
{
	int n;

	if (s->len >= sizeof(s->tried))
		return;
	n = snprintf(s->tried + s->len, sizeof(s->tried) - s->len, "%s%s: %s", s->len ? "; " : "",
		     path, reason);
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

/* The library stays loaded to the end of the process: its threads cannot be taken back. */
static bool try_load(struct search *s, const char *path)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	const struct vnpu_engine *engine;

	if (!lib) {
		note(s, path, load_error(path));
		return false;
	}
	engine = dlsym(lib, VNPU_ENGINE_ONEDNN_SYMBOL);
	if (engine && engine->abi == VNPU_ENGINE_ABI) {
		s->engine = engine;
		s->handle = lib;
		return true;
	}
	note(s, path, engine ? "an engine of another release" : "no engine in it");
	dlclose(lib);
	return false;
}

static bool is_trusted(const struct stat *st, const struct stat *own)
{
	mode_t fine = own->st_mode & S_IWOTH;

	if (st->st_gid == own->st_gid)
		fine |= own->st_mode & S_IWGRP;
	return (st->st_uid == 0 || st->st_uid == own->st_uid) &&
	       !(st->st_mode & (S_IWGRP | S_IWOTH) & ~fine);
}

static bool try_trusted(struct search *s, const char *path, const struct stat *own)
{
	struct stat st;

	if (stat(path, &st)) {
		note(s, path, "not there");
		return false;
	}
	if (!is_trusted(&st, own)) {
		note(s, path, "somebody else can write to it");
		return false;
	}
	return try_load(s, path);
}

static bool try_beside(struct search *s, const char *file)
{
	const char *slash = strrchr(file, '/');
	char path[PATH_MAX];
	struct stat own;
	int n;

	if (!slash || stat(file, &own))
		return false;
	for (size_t i = 0; i < BASE_ARRAY_SIZE(relative); i++) {
		n = snprintf(path, sizeof(path), "%.*s/%s" VNPU_ENGINE_LIBRARY, (int)(slash - file),
			     file, relative[i]);
		if (n > 0 && (size_t)n < sizeof(path) && try_trusted(s, path, &own))
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

	return dladdr((const void *)relative, &info) && info.dli_fname &&
	       realpath(info.dli_fname, path) && try_beside(s, path);
}

/* A file, or the folder it is in. */
static bool try_named(struct search *s, const char *name)
{
	char path[PATH_MAX];
	struct stat st;
	bool is_dir = !stat(name, &st) && S_ISDIR(st.st_mode);
	int n = snprintf(path, sizeof(path), is_dir ? "%s/" VNPU_ENGINE_LIBRARY : "%s", name);

	return n > 0 && (size_t)n < sizeof(path) && try_load(s, path);
}

int vnpu_engine_load(const struct vnpu_engine **out, void **handle, struct base_err *err)
{
	const char *set = secure_getenv("VNPU_ENGINE_PATH");
	struct search s = { .engine = NULL };
	bool found;

	if (set && *set)
		found = try_named(&s, set);
	else
		found = try_beside_program(&s) || try_beside_code(&s) ||
			try_load(&s, VNPU_ENGINE_LIBDIR "/" VNPU_ENGINE_LIBRARY);
	if (!found)
		return base_err_set(err, -ENOENT,
				    "engine onednn: no " VNPU_ENGINE_LIBRARY
				    " to load: use the plain engine or name it in "
				    "VNPU_ENGINE_PATH (tried %s)",
				    s.tried);
	*out = s.engine;
	*handle = s.handle;
	return 0;
}

void vnpu_engine_unload(void *handle)
{
	if (handle)
		dlclose(handle);
}
