/** DescribeTrustStoreAssociations: the listeners that use the trust store. */
import type {
  DescribeTrustStoreAssociationsInput,
  DescribeTrustStoreAssociationsOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { findByArn, listenerArn, loadBalancerOf } from './arns.ts';
import { pageOf } from './pages.ts';
import type { Elbv2Operation } from './shape.ts';

export const describeTrustStoreAssociations: Elbv2Operation<
  DescribeTrustStoreAssociationsInput,
  DescribeTrustStoreAssociationsOutput
> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findByArn(view, 'trust-store', input.TrustStoreArn, context);
    if (!found.ok) return found;
    const page = pageOf(view.find('listenersUsingTrustStore', found.value.id), input);
    if (!page.ok) return page;
    const TrustStoreAssociations = page.value.items.flatMap(({ id }) => {
      const loadBalancer = loadBalancerOf(view, id);
      return loadBalancer === undefined
        ? []
        : [{ ResourceArn: listenerArn(context.settings.region, id, loadBalancer) }];
    });
    return accept({ TrustStoreAssociations, NextMarker: page.value.nextMarker });
  },
};
