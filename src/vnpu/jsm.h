/* SPDX-License-Identifier: MIT */
/* What the files of JSM handlers share (jsm*.c, metric.c). */
#ifndef VNPU_JSM_H
#define VNPU_JSM_H

#include "vnpu/model.h"

#define JSM_OK		   ABI_JSM_STATUS_SUCCESS
#define JSM_INVALID_HANDLE ABI_JSM_STATUS_MVNCI_INVALID_HANDLE
#define JSM_PARSING_ERR	   ABI_JSM_STATUS_PARSING_ERR
#define JSM_NO_RESOURCES   ABI_JSM_STATUS_MVNCI_OUT_OF_RESOURCES

#define JSM_CH_ASYNC BASE_BIT(0)
#define JSM_CH_GEN   BASE_BIT(1)

/**
 * A handler fills the answer's payload, which starts as a copy of the request's where both have the
 * same structure, and returns the result, enum abi_jsm_status.
 */
typedef u32 vnpu_jsm_handler(struct vnpu *v, const union abi_jsm_payload *req,
			     union abi_jsm_payload *rsp);

struct vnpu_jsm_request { /* tables end with type 0 */
	u32 type;
	u32 channels; /* JSM_CH_ bits; P 6.4, 7.3 */
	vnpu_jsm_handler *fn;
	bool hws; /* belongs to hardware scheduling */
};

extern const struct vnpu_jsm_request vnpu_jsm_hws[];
extern const struct vnpu_jsm_request vnpu_jsm_power[];
extern const struct vnpu_jsm_request vnpu_jsm_trace[];
extern const struct vnpu_jsm_request vnpu_jsm_metric[];

/** vnpu_jsm_bad() - a finding about message @msg; returns @result. */
u32 vnpu_jsm_bad(struct vnpu *v, const char *msg, const char *what, u64 val, u32 result);
/** vnpu_jsm_engine() - result for an engine number: there is one. */
u32 vnpu_jsm_engine(struct vnpu *v, const char *msg, u32 engine);
vnpu_jsm_handler vnpu_jsm_echo;
vnpu_jsm_handler vnpu_jsm_deprecated;

static inline bool vnpu_jsm_is_user(const struct vnpu *v, u32 ssid)
{
	return ssid >= v->info->ssid_first && ssid < VNPU_NR_SSIDS;
}

#endif
