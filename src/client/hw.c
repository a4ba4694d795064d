// SPDX-License-Identifier: MIT
#include "client/hw.h"

#include <stddef.h>

const struct reg_gen *client_hw_by_pci(u16 vendor, u16 device, const struct reg_pci_id **id)
{
	const struct reg_gen *gen = reg_gen_by_pci(vendor, device, NULL);

	if (!gen)
		return NULL;
	for (u32 i = 0; id && gen->ids[i].product; i++)
		if (gen->ids[i].device == device)
			*id = &gen->ids[i];
	return gen;
}
