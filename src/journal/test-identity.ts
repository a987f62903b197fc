/** The identity that stores have in tests. */
import { beginning } from './chain.ts';
import type { StoreIdentity } from './store.ts';

export const testIdentity: StoreIdentity = {
  storeId: 'store-1',
  environment: 'test',
  region: 'us-east-1',
  createdAtMs: 1,
  origin: beginning,
};
