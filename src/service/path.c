// SPDX-License-Identifier: MIT
/*
 * Grammar: NAME[/NUMBER][?KEY=VALUE[&KEY=VALUE]...]
 * Numbers are decimal without leading zeros (010 is ten to some and eight to others) or 0x hex.
 */
#include "service/path.h"

#include <errno.h>
#include <string.h>

#include "driver/driver.h"

struct span {
	const char *s;
	size_t len;
};

struct param {
	const char *key;
	int (*set)(struct svc_child_spec *spec, struct span value, struct base_err *err);
};

static bool span_is(struct span span, const char *word)
{
	return span.len == strlen(word) && memcmp(span.s, word, span.len) == 0;
}

/* For messages: a client's text, escaped and cut. */
static const char *show(struct span span, char *buf, size_t size)
{
	char raw[64];
	size_t len = base_min(span.len, sizeof(raw) - 1);

	memcpy(raw, span.s, len);
	raw[len] = '\0';
	svc_escape(raw, buf, size);
	return buf;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

bool svc_parse_u64(const char *text, size_t len, u64 *out)
{
	u64 base = 10;
	u64 val = 0;

	if (len > 2 && text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
		len -= 2;
	} else if (len == 0 || (len > 1 && text[0] == '0')) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		u64 digit = (u64)digit_of(text[i]);

		if (digit >= base || !base_mul_u64(val, base, &val) ||
		    !base_add_u64(val, digit, &val))
			return false;
	}
	*out = val;
	return true;
}

void svc_escape(const char *text, char *buf, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t used = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = c >= ' ' && c <= '~' && c != '"' && c != '\\';

		if (used + (plain ? 1 : 4) >= size)
			break;
		if (plain) {
			buf[used++] = (char)c;
			continue;
		}
		buf[used++] = '\\';
		buf[used++] = 'x';
		buf[used++] = hex[c >> 4];
		buf[used++] = hex[c & 15];
	}
	if (size)
		buf[used] = '\0';
}

static const char *const prio_names[] = { "idle", "normal", "focus", "realtime" };

const char *svc_prio_name(u32 priority)
{
	return priority < BASE_ARRAY_SIZE(prio_names) ? prio_names[priority] : "?";
}

static int set_prio(struct svc_child_spec *spec, struct span value, struct base_err *err)
{
	char shown[80];

	for (u32 i = 0; i < BASE_ARRAY_SIZE(prio_names); i++) {
		if (span_is(value, prio_names[i])) {
			spec->queue.priority = i;
			return 0;
		}
	}
	return base_err_set(err, -EINVAL,
			    "queue: prio is \"%s\", expected idle, normal, focus or realtime",
			    show(value, shown, sizeof(shown)));
}

static int set_align(struct svc_child_spec *spec, struct span value, struct base_err *err)
{
	char shown[80];

	if (!svc_parse_u64(value.s, value.len, &spec->bo.align) || !base_is_pow2(spec->bo.align))
		return base_err_set(
			err, -EINVAL,
			"bo: align is \"%s\", expected a power of two, decimal or 0x hex",
			show(value, shown, sizeof(shown)));
	return 0;
}

static const struct {
	const char *name;
	u32 flag; /* 0 = wb: what is without wc */
	u32 group;
} bo_flags[] = {
	/* at most one of a group */
	{ "wb", DRV_BO_WB, 1 },	  { "wc", DRV_BO_WC, 1 }, { "shave", DRV_BO_SHAVE, 2 },
	{ "dma", DRV_BO_DMA, 2 }, { "ro", DRV_BO_RO, 4 },
};

static int set_flag(struct svc_child_spec *spec, struct span word, u32 *groups,
		    struct base_err *err)
{
	char shown[80];

	for (size_t i = 0; i < BASE_ARRAY_SIZE(bo_flags); i++) {
		if (!span_is(word, bo_flags[i].name))
			continue;
		if (*groups & bo_flags[i].group)
			return base_err_set(
				err, -EINVAL,
				"bo: flag %s is given twice or contradicts an earlier one "
				"(one of wb, wc; one of shave, dma)",
				bo_flags[i].name);
		*groups |= bo_flags[i].group;
		spec->bo.flags |= bo_flags[i].flag;
		return 0;
	}
	return base_err_set(err, -EINVAL,
			    "bo: flag \"%s\" is unknown, expected wb, wc, ro, shave, dma",
			    show(word, shown, sizeof(shown)));
}

static int set_flags(struct svc_child_spec *spec, struct span value, struct base_err *err)
{
	u32 groups = 0;

	for (;;) {
		const char *comma = memchr(value.s, ',', value.len);
		struct span word = { value.s, comma ? (size_t)(comma - value.s) : value.len };
		int ret = set_flag(spec, word, &groups, err);

		if (ret || !comma)
			return ret;
		value.len -= word.len + 1;
		value.s = comma + 1;
	}
}

static const struct param bo_params[] = { { "align", set_align }, { "flags", set_flags } };
static const struct param queue_params[] = { { "prio", set_prio } };

/* One KEY=VALUE; @seen has a bit per parameter that was there before. */
static int set_param(const struct param *params, size_t nr, struct span item, u32 *seen,
		     struct svc_child_spec *spec, struct base_err *err)
{
	const char *eq = memchr(item.s, '=', item.len);
	struct span key = { item.s, eq ? (size_t)(eq - item.s) : item.len };
	char shown[80];

	if (!eq)
		return base_err_set(err, -EINVAL, "path: \"%s\" has no value, expected KEY=VALUE",
				    show(item, shown, sizeof(shown)));
	for (size_t i = 0; i < nr; i++) {
		if (!span_is(key, params[i].key))
			continue;
		if (*seen & BASE_BIT(i))
			return base_err_set(err, -EINVAL, "path: \"%s\" is given twice",
					    params[i].key);
		*seen |= BASE_BIT(i);
		return params[i].set(spec, (struct span){ eq + 1, item.len - key.len - 1 }, err);
	}
	return base_err_set(err, -EINVAL, "path: key \"%s\" is unknown here, expected %s%s%s",
			    show(key, shown, sizeof(shown)), params[0].key, nr > 1 ? " or " : "",
			    nr > 1 ? params[1].key : "");
}

static int set_params(const struct param *params, size_t nr, const char *query,
		      struct svc_child_spec *spec, struct base_err *err)
{
	u32 seen = 0;
	int ret = 0;

	while (query && !ret) {
		const char *amp = strchr(query, '&');
		struct span item = { query, amp ? (size_t)(amp - query) : strlen(query) };

		ret = set_param(params, nr, item, &seen, spec, err);
		query = amp ? amp + 1 : NULL;
	}
	return ret;
}

static int check_length(const char *path, struct base_err *err)
{
	if (strnlen(path, SVC_PATH_MAX + 1) > SVC_PATH_MAX)
		return base_err_set(err, -EINVAL, "path: longer than %u characters", SVC_PATH_MAX);
	return 0;
}

int svc_parse_child(const char *path, struct svc_child_spec *out, struct base_err *err)
{
	struct svc_child_spec spec = { .queue.priority = SVC_PRIO_NORMAL };
	struct span head;
	const char *query;
	char shown[80];
	int ret = check_length(path, err);

	if (ret)
		return ret;
	query = strchr(path, '?');
	head = (struct span){ path, query ? (size_t)(query - path) : strlen(path) };
	query = query ? query + 1 : NULL;
	if (span_is(head, "queue")) {
		spec.kind = SVC_CHILD_QUEUE;
		ret = set_params(queue_params, BASE_ARRAY_SIZE(queue_params), query, &spec, err);
	} else if (span_is(head, "import")) {
		spec.kind = SVC_CHILD_BO;
		spec.bo.import = true;
		ret = set_params(bo_params, BASE_ARRAY_SIZE(bo_params), query, &spec, err);
	} else if (head.len >= 3 && memcmp(head.s, "bo/", 3) == 0) {
		spec.kind = SVC_CHILD_BO;
		head = (struct span){ head.s + 3, head.len - 3 };
		if (!svc_parse_u64(head.s, head.len, &spec.bo.size_bytes) || !spec.bo.size_bytes)
			return base_err_set(
				err, -EINVAL,
				"bo: size is \"%s\", expected bytes > 0, decimal or 0x hex",
				show(head, shown, sizeof(shown)));
		ret = set_params(bo_params, BASE_ARRAY_SIZE(bo_params), query, &spec, err);
	} else {
		return base_err_set(err, -ENOENT,
				    "context: no child \"%s\", expected bo/SIZE, import or queue",
				    show(head, shown, sizeof(shown)));
	}
	if (!ret)
		*out = spec;
	return ret;
}

bool svc_path_is_raw(const char *path)
{
	return strncmp(path, "mmio:", 5) == 0 || strncmp(path, "dma:", 4) == 0;
}

int svc_parse_node(const char *path, u32 *dev, const char **name, struct base_err *err)
{
	const char *slash;
	char shown[80];
	u64 idx;
	int ret = check_length(path, err);

	if (ret)
		return ret;
	slash = strchr(path, '/');
	if (!slash || !svc_parse_u64(path, (size_t)(slash - path), &idx))
		return base_err_set(
			err, -ENOENT, "path: no node \"%s\", expected DEVICE/NODE such as 0/info",
			show((struct span){ path, strlen(path) }, shown, sizeof(shown)));
	if (idx > UINT32_MAX)
		return base_err_set(err, -ENOENT, "path: no device %llu", (unsigned long long)idx);
	*dev = (u32)idx;
	*name = slash + 1;
	return 0;
}
