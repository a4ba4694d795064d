
BprobabilitiesJ(ùº:úzà;&k;—®Ü:“T;*kŸ:IA8;Š§v?AÃª:z§k<