// SPDX-License-Identifier: MIT
/*
 * Finding libvnpu_engine.so: $VNPU_ENGINE_PATH (a folder; ignored when privileged), then places
 * relative to the program or library this code is part of (the installed layout and the build
 * tree's), then the installed library folder.
 *
 * A file in a relative place is taken only if root or the owner of our own file owns it and nobody
 * else may write to it: a folder above ours may belong to somebody else.
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

static const char *const relative[] = {
	"",			  /* side by side */
	"/../lib",		  /* bin beside lib */
	"/../src/vnpu/engine",	  /* build tree: bin, bench, tests */
	"/../../src/vnpu/engine", /* tests below tests */
	"/../vnpu/engine",	  /* unit tests and libraries below src */
	"/../../vnpu/engine",	  /* deeper ones */
	"/../../../src/vnpu/engine",
};

/* The file this code was linked into; the program, when the linker gives no path. */
static int own_file(char *path)
{
	ssize_t len;
	Dl_info info;

	if (dladdr((const void *)&relative, &info) && info.dli_fname &&
	    strchr(info.dli_fname, '/') && realpath(info.dli_fname, path))
		return 0;
	len = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (len <= 0)
		return -ENOENT;
	path[len] = '\0';
	return 0;
}

static bool is_trusted(const char *path, uid_t owner)
{
	struct stat st;

	return !stat(path, &st) && (st.st_uid == 0 || st.st_uid == owner) &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static const struct vnpu_engine *try_path(const char *path, void **handle)
{
	const struct vnpu_engine *engine;
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!lib)
		return NULL;
	engine = dlsym(lib, VNPU_ENGINE_ONEDNN_SYMBOL);
	if (engine && engine->abi == VNPU_ENGINE_ABI) {
		*handle = lib;
		return engine;
	}
	dlclose(lib);
	return NULL;
}

static const struct vnpu_engine *try_folder(const char *folder, const char *sub, void **handle)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s%s/" VNPU_ENGINE_LIBRARY, folder, sub) >=
	    (int)sizeof(path))
		return NULL;
	return try_path(path, handle);
}

static const struct vnpu_engine *try_relative(const char *folder, uid_t owner, void **handle)
{
	const struct vnpu_engine *engine;
	char path[PATH_MAX];

	for (size_t i = 0; i < BASE_ARRAY_SIZE(relative); i++) {
		if (snprintf(path, sizeof(path), "%s%s/" VNPU_ENGINE_LIBRARY, folder,
			     relative[i]) >= (int)sizeof(path))
			continue;
		if (!is_trusted(path, owner))
			continue;
		engine = try_path(path, handle);
		if (engine)
			return engine;
	}
	return NULL;
}

int vnpu_engine_load(const struct vnpu_engine **out, void **handle, struct base_err *err)
{
	const char *env = secure_getenv("VNPU_ENGINE_PATH");
	const struct vnpu_engine *engine = NULL;
	char own[PATH_MAX] = ".";
	const char *why;
	struct stat st;

	if (env)
		engine = try_folder(env, "", handle);
	if (!engine && !own_file(own) && !stat(own, &st)) {
		*strrchr(own, '/') = '\0';
		engine = try_relative(own, st.st_uid, handle);
	}
	if (!engine)
		engine = try_folder(VNPU_ENGINE_LIBDIR, "", handle);
	if (engine) {
		*out = engine;
		return 0;
	}
	why = dlerror();
	return base_err_set(err, -ENOENT,
			    "engine onednn: no " VNPU_ENGINE_LIBRARY
			    " of this version in $VNPU_ENGINE_PATH (%s), at %s or in %s (%s): "
			    "install it or use the engine plain",
			    env ? env : "not set", own, VNPU_ENGINE_LIBDIR,
			    why ? why : "wrong version");
}

void vnpu_engine_unload(void *handle)
{
	if (handle)
		dlclose(handle);
}
