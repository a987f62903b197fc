/**
 * DescribeTargetHealth. What is registered is state; how it is, the nodes have found out. A group that no rule uses
 * is not checked, so its targets are unused, whatever was found out about them before. Who asks for anomalies gets them
 * of the targets that take HTTP requests; they do not touch the health.
 */
import type {
  AnomalyDetection,
  DescribeTargetHealthInput,
  DescribeTargetHealthOutput,
  TargetHealth,
  TargetHealthDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, refuse } from '#base/result.ts';
import type { TargetCondition } from '#control/operation.ts';
import type { AnomalyVerdict } from '#model/anomaly.ts';
import type { Entry, TargetDocument } from '#model/documents.ts';
import type { Fault } from '#model/fault.ts';
import { findByArn } from './arns.ts';
import { isInUse } from './associations.ts';
import { checkChoice, checkCount } from './checks.ts';
import { quotas } from './quotas.ts';
import type { Elbv2Operation } from './shape.ts';
import { decodeTarget, type NamedTarget } from './targets.ts';

export const describeTargetHealth: Elbv2Operation<DescribeTargetHealthInput, DescribeTargetHealthOutput> = {
  kind: 'read',
  answer(view, input, context) {
    const found = findByArn(view, 'target-group', input.TargetGroupArn, context);
    if (!found.ok) return found;
    const group = found.value;
    const { Targets = [], Include = [] } = input;
    const wrong = checkInclude(Include) ?? (Targets.length > 0 ? checkTargets(Targets) : undefined);
    if (wrong !== undefined) return refuse(wrong);
    const used = isInUse(view, group.id);
    const anomaly = Include.length > 0 && hasAnomalies(group) ? context.anomaly : undefined;
    const describeKnown = (key: string, document: TargetDocument) => ({
      ...describe(group, document, healthOf(group, document, used, context.health(key))),
      ...(anomaly && { AnomalyDetection: encodeAnomaly(anomaly(key)) }),
    });
    const descriptions: TargetHealthDescription[] = [];
    if (Targets.length === 0) {
      for (const { id, document } of view.find('targetsOfTargetGroup', group.id)) {
        descriptions.push(describeKnown(id, document));
      }
    }
    for (const description of Targets) {
      const target = decodeTarget(group, description, context);
      if (!target.ok) return target;
      const document = view.get('target', target.value.key);
      descriptions.push(
        document === undefined ? describeUnregistered(group, target.value) : describeKnown(target.value.key, document),
      );
    }
    return accept({ TargetHealthDescriptions: descriptions });
  },
};

const notRegistered: TargetHealth = {
  State: 'unused',
  Reason: 'Target.NotRegistered',
  Description: 'Target is not registered to the target group',
};
const notInUse: TargetHealth = {
  State: 'unused',
  Reason: 'Target.NotInUse',
  Description: 'Target group is not configured to receive traffic from the load balancer',
};
const notChecked: TargetHealth = {
  State: 'unavailable',
  Reason: 'Target.HealthCheckDisabled',
  Description: 'Health checks are not enabled for this target',
};
const draining: TargetHealth = {
  State: 'draining',
  Reason: 'Target.DeregistrationInProgress',
  Description: 'Target deregistration is in progress',
};
const notLookedAtYet: TargetHealth = {
  State: 'initial',
  Reason: 'Elb.RegistrationInProgress',
  Description: 'Target registration is in progress',
};

/** Whichever it is, there is nothing else to include. */
function checkInclude(include: readonly string[]): Fault | undefined {
  for (const value of include) {
    const wrong = checkChoice('Include', value, ['AnomalyDetection', 'All']);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function checkTargets(targets: readonly unknown[]): Fault | undefined {
  return checkCount('Targets', targets, quotas.targetsPerCall);
}

/** "ATW is not supported when using Lambda as a target." */
function hasAnomalies({ document: { protocol } }: Entry<'target-group'>): boolean {
  return protocol === 'HTTP' || protocol === 'HTTPS';
}

function encodeAnomaly({ isAnomalous, isMitigated }: AnomalyVerdict): AnomalyDetection {
  return { Result: isAnomalous ? 'anomalous' : 'normal', MitigationInEffect: isMitigated ? 'yes' : 'no' };
}

function healthOf(
  { document: group }: Entry<'target-group'>,
  target: TargetDocument,
  used: boolean,
  verdict: TargetCondition | undefined,
): TargetHealth {
  if (target.state.kind === 'draining') return draining;
  if (!used) return notInUse;
  if (!group.healthCheck.enabled) return notChecked;
  if (verdict === undefined) return notLookedAtYet;
  if (verdict.kind === 'healthy') return { State: 'healthy' };
  if (verdict.kind === 'unavailable') return { State: 'unavailable', Description: verdict.description };
  return { State: verdict.kind, Reason: verdict.reason, Description: verdict.description };
}

function describe(group: Entry<'target-group'>, target: TargetDocument, health: TargetHealth): TargetHealthDescription {
  const { address, port, named, availabilityZone, quicServerId } = target;
  return {
    Target: {
      Id: named ?? address,
      ...ported(group, port),
      ...(availabilityZone !== undefined && { AvailabilityZone: availabilityZone }),
      ...(quicServerId !== undefined && { QuicServerId: quicServerId }),
    },
    ...healthCheckPort(group, port),
    TargetHealth: { ...health },
  };
}

/** Nothing checks it, so the port it would be checked on is the group's. */
function describeUnregistered(group: Entry<'target-group'>, { id, port }: NamedTarget): TargetHealthDescription {
  return {
    Target: { Id: id, ...ported(group, port) },
    ...healthCheckPort(group, group.document.port ?? 0),
    TargetHealth: { ...notRegistered },
  };
}

/** A function has none. */
function ported({ document }: Entry<'target-group'>, port: number): { readonly Port?: number } {
  return document.targetType === 'lambda' ? {} : { Port: port };
}

function healthCheckPort(
  { document }: Entry<'target-group'>,
  trafficPort: number,
): { readonly HealthCheckPort?: string } {
  const { port } = document.healthCheck;
  if (document.targetType === 'lambda') return {};
  return { HealthCheckPort: port === 'traffic-port' ? `${trafficPort}` : port };
}
