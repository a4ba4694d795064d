// SPDX-License-Identifier: MIT
#include "scheme/redox.h"

#include <errno.h>
#include <string.h>

#define MAX_ENTRIES 65536u /* as many as the kernel lets us have descriptors */
#define MAX_OF_ONE  8192u  /* of one program: more than the service lets it have handles */

static struct client *find_client(struct scheme *scheme, u64 pid, u32 euid)
{
	struct svc_list *node;

	base_for_each (node, &scheme->clients) {
		struct client *client = svc_list_entry(node, struct client, link);

		if (client->pid == pid && client->euid == euid)
			return client;
	}
	return NULL;
}

int rs_client_get(struct scheme *scheme, u64 pid, u32 euid, struct client **out)
{
	struct client *client = find_client(scheme, pid, euid);
	int ret;

	*out = client;
	if (client)
		return 0;
	client = base_zalloc(sizeof(*client));
	if (!client)
		return -ENOMEM;
	ret = svc_client_create(scheme->svc,
				&(struct svc_cred){ .uid = euid,
						    .pid = (u32)pid,
						    .privileged = euid == 0,
						    .remote = true,
						    .transport = client },
				&client->svc);
	if (ret) {
		base_free(client);
		return ret;
	}
	client->scheme = scheme;
	client->pid = pid;
	client->euid = euid;
	svc_list_init(&client->entries);
	svc_list_add(&scheme->clients, &client->link);
	*out = client;
	return 0;
}

/* With the last of his handles the program is gone, as far as we are concerned. */
void rs_client_put(struct client *client)
{
	if (client->nr_entries)
		return;
	svc_client_close(client->svc);
	svc_list_del(&client->link);
	base_free(client);
}

struct entry *rs_entry_of(const struct scheme *scheme, u64 id)
{
	u64 idx = id - RS_FIRST_ID;

	return id >= RS_FIRST_ID && idx < scheme->max_entries ? scheme->entries[idx] : NULL;
}

static int grow(struct scheme *scheme)
{
	u32 max = scheme->max_entries ? scheme->max_entries * 2 : 64;
	struct entry **entries;

	if (max > MAX_ENTRIES)
		return -EMFILE;
	entries = base_realloc_array(scheme->entries, max, sizeof(struct entry *));
	if (!entries)
		return -ENOMEM;
	memset(entries + scheme->max_entries, 0,
	       (max - scheme->max_entries) * sizeof(struct entry *));
	scheme->entries = entries;
	scheme->max_entries = max;
	return 0;
}

int rs_entry_add(struct scheme *scheme, struct client *client, const char *path, struct entry **out)
{
	struct entry *entry;
	u32 idx = scheme->first_free;
	int ret = scheme->nr_entries == scheme->max_entries ? grow(scheme) : 0;

	if (client->nr_entries == MAX_OF_ONE)
		ret = base_err_set(&scheme->err, -EMFILE,
				   "the process has %u descriptors of this scheme, its quota",
				   MAX_OF_ONE);
	if (ret)
		return ret;
	entry = base_zalloc(sizeof(*entry) + strlen(path) + 1);
	if (!entry)
		return -ENOMEM;
	while (scheme->entries[idx])
		idx++;
	memcpy(entry->path, path, strlen(path) + 1);
	entry->client = client;
	entry->id = idx + RS_FIRST_ID;
	svc_list_init(&entry->fired);
	svc_list_add(&client->entries, &entry->link);
	client->nr_entries++;
	scheme->entries[idx] = entry;
	scheme->first_free = idx + 1;
	scheme->nr_entries++;
	*out = entry;
	return 0;
}

void rs_unpark(struct parked *p)
{
	svc_list_del(&p->link);
	p->entry->client->nr_parked--;
	base_free(p);
}

void rs_unpark_all(struct scheme *scheme, const struct entry *entry, int result)
{
	struct svc_list *node, *tmp;

	base_for_each_safe (node, tmp, &scheme->parked) {
		struct parked *p = svc_list_entry(node, struct parked, link);

		if (entry && p->entry != entry)
			continue;
		rs_answer(scheme, p->tag, result);
		rs_unpark(p);
	}
}

/* With a context goes what was made below it: the service's numbers may come again, theirs not. */
static void orphan(struct scheme *scheme, const struct entry *parent)
{
	struct svc_list *node;

	base_for_each (node, &parent->client->entries) {
		struct entry *child = svc_list_entry(node, struct entry, link);

		if (child->parent != parent->id)
			continue;
		rs_unpark_all(scheme, child, -ECANCELED);
		child->kind = ENTRY_GONE;
		child->parent = 0;
	}
}

void rs_entry_del(struct scheme *scheme, struct entry *entry)
{
	struct client *client = entry->client;

	rs_unpark_all(scheme, entry, -ECANCELED);
	if (entry->kind == ENTRY_NODE) {
		orphan(scheme, entry);
		(void)!svc_close(client->svc, entry->handle, NULL);
	}
	svc_list_del(&entry->fired);
	svc_list_del(&entry->link);
	scheme->entries[entry->id - RS_FIRST_ID] = NULL;
	scheme->first_free = base_min(scheme->first_free, entry->id - RS_FIRST_ID);
	scheme->nr_entries--;
	client->nr_entries--;
	base_free(entry->text);
	base_free(entry);
	rs_client_put(client);
}
