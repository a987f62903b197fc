/** A target group as the API answers it. Which load balancers use it is found out from the rules. */
import type { TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { RegionSettings } from '#control/operation.ts';
import type { HexId, TargetGroupDocument } from '#model/documents.ts';
import type { View } from '#model/view.ts';
import { loadBalancerArn, targetGroupArn } from './arns.ts';
import { loadBalancersOfGroup } from './associations.ts';
import { encodeHealthCheck } from './health-check.ts';

/** The target group with its health check settings. */
export function encodeTargetGroup(
  view: View,
  settings: RegionSettings,
  id: HexId,
  document: TargetGroupDocument,
): TargetGroup {
  const LoadBalancerArns = [...loadBalancersOfGroup(view, id)].flatMap((loadBalancerId) => {
    const loadBalancer = view.get('load-balancer', loadBalancerId);
    return loadBalancer === undefined ? [] : [loadBalancerArn(settings.region, loadBalancerId, loadBalancer)];
  });
  return {
    TargetGroupArn: targetGroupArn(settings.region, id, document),
    TargetGroupName: document.name,
    Protocol: document.protocol,
    Port: document.port,
    VpcId: document.vpcId,
    ...encodeHealthCheck(document, document.healthCheck),
    LoadBalancerArns,
    TargetType: document.targetType,
    ProtocolVersion: document.protocolVersion,
    IpAddressType: document.ipAddressType,
    ...(document.targetControlPort !== undefined && { TargetControlPort: document.targetControlPort }),
  };
}
