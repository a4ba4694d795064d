// SPDX-License-Identifier: MIT
/*
 * Says what takes so long.  A timer thread, because the work runs in library calls: it sleeps a
 * second first, so that short commands print nothing; on a terminal it counts seconds, elsewhere
 * it says each thing once.
 */
#include "cli/watch.h"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock =
	PTHREAD_MUTEX_INITIALIZER; /* protects: what, started_ns, is_running */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const char *what;
static u64 started_ns;
static bool is_running;
static pthread_t thread;

double cli_ms_since(u64 start_ns)
{
	return (double)(base_clock_ns() - start_ns) / 1e6;
}

static void show(bool is_terminal, bool *has_said)
{
	u64 seconds = (base_clock_ns() - started_ns) / BASE_NS_PER_S;

	if (!seconds)
		return;
	if (is_terminal)
		fprintf(stderr, "\r\033[K%s ... %llu s", what, (unsigned long long)seconds);
	else if (!*has_said)
		fprintf(stderr, "%s ...\n", what);
	*has_said = true;
}

static void *run(void *opaque)
{
	bool is_terminal = isatty(STDERR_FILENO);
	const char *last = NULL;
	bool has_said = false;

	(void)opaque;
	pthread_mutex_lock(&lock);
	while (is_running) {
		struct timespec until;

		if (last != what)
			has_said = false;
		last = what;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		if (pthread_cond_timedwait(&changed, &lock, &until))
			show(is_terminal, &has_said);
	}
	if (is_terminal && has_said)
		fputs("\r\033[K", stderr);
	pthread_mutex_unlock(&lock);
	return NULL;
}

void cli_progress_start(const char *text)
{
	if (cli_watch)
		return; /* what is watched is shown in the same place */
	pthread_mutex_lock(&lock);
	what = text;
	started_ns = base_clock_ns();
	pthread_cond_signal(&changed);
	if (!is_running) {
		is_running = true;
		if (pthread_create(&thread, NULL, run, NULL))
			is_running = false;
	}
	pthread_mutex_unlock(&lock);
}

void cli_progress_stop(void)
{
	bool was_running;

	pthread_mutex_lock(&lock);
	was_running = is_running;
	is_running = false;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	if (was_running)
		pthread_join(thread, NULL);
}
