// SPDX-License-Identifier: MIT
/* Capabilities (json.h).  One pass, nothing allocated, depth limited. */
#include "vfu/json.h"

#include <errno.h>
#include <string.h>

#define MAX_DEPTH 16u

struct cursor {
	const char *at, *end;
	u32 depth;
};

/* What is known of an object: NULL ends a table. */
struct field {
	const char *name;
	u64 *number;
	bool *flag;
	const struct field *object;
};

void vfu_caps_default(struct vfu_caps *caps)
{
	*caps = (struct vfu_caps){ .max_msg_fds = 1,
				   .max_data_xfer_size = 1048576,
				   .max_dma_maps = 65535,
				   .pgsizes = BASE_PAGE_SIZE };
}

static char peek(struct cursor *c)
{
	while (c->at < c->end &&
	       (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
		c->at++;
	return c->at < c->end ? *c->at : '\0';
}

static bool accept(struct cursor *c, char ch)
{
	if (peek(c) != ch)
		return false;
	c->at++;
	return true;
}

static bool word(struct cursor *c, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(c->end - c->at) < len || memcmp(c->at, text, len) != 0)
		return false;
	c->at += len;
	return true;
}

/* The raw text between the quotes; escapes stay as they are: no known name has any. */
static int string(struct cursor *c, const char **out, size_t *len)
{
	if (!accept(c, '"'))
		return -EINVAL;
	*out = c->at;
	while (c->at < c->end && *c->at != '"') {
		if ((unsigned char)*c->at < 0x20)
			return -EINVAL;
		if (*c->at == '\\')
			c->at++;
		if (c->at < c->end)
			c->at++;
	}
	if (c->at >= c->end)
		return -EINVAL;
	*len = (size_t)(c->at - *out);
	c->at++;
	return 0;
}

static bool is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

/* A whole number that fits. */
static int number(struct cursor *c, u64 *out)
{
	u64 val = 0;

	if (!is_digit(peek(c)))
		return -EINVAL;
	for (; c->at < c->end && is_digit(*c->at); c->at++)
		if (!base_mul_u64(val, 10, &val) || !base_add_u64(val, (u64)(*c->at - '0'), &val))
			return -EINVAL;
	if (c->at < c->end && (*c->at == '.' || *c->at == 'e' || *c->at == 'E'))
		return -EINVAL;
	*out = val;
	return 0;
}

static int boolean(struct cursor *c, bool *out)
{
	(void)peek(c);
	*out = word(c, "true");
	return *out || word(c, "false") ? 0 : -EINVAL;
}

/* Any number, as loosely as we need it: what is in it is not looked at. */
static int skip_number(struct cursor *c)
{
	const char *start = c->at;

	while (c->at < c->end && (is_digit(*c->at) || (*c->at && strchr("+-.eE", *c->at))))
		c->at++;
	return c->at > start ? 0 : -EINVAL;
}

static int object(struct cursor *c, const struct field *fields);

static int skip_any(struct cursor *c);

static int array(struct cursor *c)
{
	int ret = 0;

	c->at++; /* the caller saw the bracket */
	if (accept(c, ']'))
		return 0;
	do
		ret = skip_any(c);
	while (!ret && accept(c, ','));
	return ret ? ret : accept(c, ']') ? 0 : -EINVAL;
}

static int skip_any(struct cursor *c)
{
	const char *text;
	size_t len;
	char ch = peek(c);
	int ret;

	if (ch == '"')
		return string(c, &text, &len);
	if (ch != '{' && ch != '[')
		return word(c, "true") || word(c, "false") || word(c, "null") ? 0 : skip_number(c);
	if (++c->depth > MAX_DEPTH)
		return -EINVAL;
	ret = ch == '{' ? object(c, NULL) : array(c);
	c->depth--;
	return ret;
}

static int value(struct cursor *c, const struct field *field)
{
	if (!field)
		return skip_any(c);
	if (peek(c) == 'n') /* null: as if it were not there */
		return skip_any(c);
	if (field->number)
		return number(c, field->number);
	return field->flag ? boolean(c, field->flag) : object(c, field->object);
}

static const struct field *find(const struct field *fields, const char *name, size_t len)
{
	for (; fields && fields->name; fields++)
		if (strlen(fields->name) == len && memcmp(fields->name, name, len) == 0)
			return fields;
	return NULL;
}

static int member(struct cursor *c, const struct field *fields)
{
	const char *name;
	size_t len;
	int ret = string(c, &name, &len);

	if (ret)
		return ret;
	return accept(c, ':') ? value(c, find(fields, name, len)) : -EINVAL;
}

static int object(struct cursor *c, const struct field *fields)
{
	int ret;

	if (!accept(c, '{'))
		return -EINVAL;
	if (accept(c, '}'))
		return 0;
	do
		ret = member(c, fields);
	while (!ret && accept(c, ','));
	return ret ? ret : accept(c, '}') ? 0 : -EINVAL;
}

int vfu_caps_parse(const char *text, size_t len, struct vfu_caps *caps)
{
	const struct field twin[] = { { "supported", .flag = &caps->twin_socket }, { 0 } };
	const struct field known[] = {
		{ "max_msg_fds", .number = &caps->max_msg_fds },
		{ "max_data_xfer_size", .number = &caps->max_data_xfer_size },
		{ "max_dma_maps", .number = &caps->max_dma_maps },
		{ "pgsizes", .number = &caps->pgsizes },
		{ "twin_socket", .object = twin },
		{ "write_multiple", .flag = &caps->write_multiple },
		{ 0 },
	};
	const struct field top[] = { { "capabilities", .object = known }, { 0 } };
	struct cursor c = { .at = text, .end = text + strnlen(text, len) };
	int ret;

	vfu_caps_default(caps);
	if (!peek(&c))
		return 0;
	ret = object(&c, top);
	if (ret)
		return ret;
	return peek(&c) ? -EINVAL : 0;
}
