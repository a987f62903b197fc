/**
 * DescribeListenerCertificates: the default certificate first, then the others in the order in which they were added.
 * One that is both is answered twice, as AWS does.
 */
import type {
  DescribeListenerCertificatesInput,
  DescribeListenerCertificatesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept } from '#base/result.ts';
import { findByArn } from './arns.ts';
import { encodeCertificates } from './listener-answers.ts';
import type { Elbv2Operation } from './shape.ts';
import { tablePageOf } from './table-pages.ts';

export const describeListenerCertificates: Elbv2Operation<
  DescribeListenerCertificatesInput,
  DescribeListenerCertificatesOutput
> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findByArn(view, 'listener', input.ListenerArn, context);
    if (!found.ok) return found;
    const all = (found.value.document.certificateIds ?? []).map((id, index) => ({ id, isDefault: index === 0 }));
    const page = tablePageOf(all, ({ id, isDefault }) => `${id} ${isDefault}`, input);
    if (!page.ok) return page;
    const Certificates = page.value.items.flatMap(({ id, isDefault }) =>
      encodeCertificates(view, [id], context).map((certificate) => ({ ...certificate, IsDefault: isDefault })),
    );
    return accept({ Certificates, NextMarker: page.value.nextMarker });
  },
};
