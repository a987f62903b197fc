/** DeleteSharedTrustStoreAssociation. Trust stores are not shared between accounts here, so none of them is deleted. */
import type {
  DeleteSharedTrustStoreAssociationInput,
  DeleteSharedTrustStoreAssociationOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { refuse } from '#base/result.ts';
import { fault } from '#model/fault.ts';
import { findByArn } from './arns.ts';
import type { Elbv2Operation } from './shape.ts';

export const deleteSharedTrustStoreAssociation: Elbv2Operation<
  DeleteSharedTrustStoreAssociationInput,
  DeleteSharedTrustStoreAssociationOutput
> = {
  kind: 'write',
  decide(view, input, context) {
    const store = findByArn(view, 'trust-store', input.TrustStoreArn, context);
    if (!store.ok) return store;
    const listener = findByArn(view, 'listener', input.ResourceArn, context);
    const isAssociated =
      listener.ok &&
      [...view.find('listenersUsingTrustStore', store.value.id)].some(({ id }) => id === listener.value.id);
    const { name } = store.value.document;
    return refuse(
      isAssociated
        ? fault('DeleteAssociationSameAccount', `The listener is of the account that has trust store '${name}'`)
        : fault('AssociationNotFound', `Trust store '${name}' has no association with the resource`),
    );
  },
};
