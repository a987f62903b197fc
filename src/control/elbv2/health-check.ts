/**
 * Health check settings: what a target group starts with, what a caller may ask for, and how they must agree; all of it
 * depends on what the targets are and speak.
 * Source: CreateTargetGroup and ModifyTargetGroup in the ELB API reference; "Health check settings" in the guides.
 */
import type { ModifyTargetGroupInput, TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2';
import { accept, type Result, refuse } from '#base/result.ts';
import type { HealthCheckSettings, TargetGroupDocument } from '#model/documents.ts';
import { type Fault, fault } from '#model/fault.ts';
import { checkChoice, checkPortText, checkRange, parseDecimal, shown } from './checks.ts';
import type { Decoded } from './shape.ts';

/** The same members in CreateTargetGroup and in ModifyTargetGroup. */
export type HealthCheckInput = Omit<Decoded<ModifyTargetGroupInput>, 'TargetGroupArn'>;

/** What decides about health checks. */
export type CheckedGroup = Pick<TargetGroupDocument, 'targetType' | 'protocol' | 'protocolVersion'>;

/** Of targets behind an application load balancer, of a function, and of targets behind a network load balancer. */
type Family = 'http' | 'function' | 'transport';

const intervalRange = { min: 5, max: 300 };
const timeoutRange = { min: 2, max: 120 };
const thresholdRange = { min: 2, max: 10 };
/** A path goes into the request line as it is, so it holds nothing that could end it. */
const pathPattern = /^\/[!-~]*$/;
const pathLengthMax = 1024;
const matcherLengthMax = 255;

export function familyOf({ targetType, protocol }: CheckedGroup): Family {
  if (targetType === 'lambda') return 'function';
  return protocol === 'HTTP' || protocol === 'HTTPS' ? 'http' : 'transport';
}

/** The settings of a new target group. If only interval or timeout is given, the other's default makes room for it. */
export function decodeHealthCheck(group: CheckedGroup, input: HealthCheckInput): Result<HealthCheckSettings, Fault> {
  const { HealthCheckIntervalSeconds: interval, HealthCheckTimeoutSeconds: timeout } = input;
  const defaults = defaultsOf(group, input.HealthCheckProtocol);
  const gap = gapOf(group);
  return changeHealthCheck(
    group,
    {
      ...defaults,
      intervalSeconds: Math.max(defaults.intervalSeconds, (timeout ?? 0) + gap),
      timeoutSeconds: Math.min(defaults.timeoutSeconds, (interval ?? defaults.intervalSeconds) - gap),
    },
    input,
  );
}

/** The settings after changing only what is given; what results must agree as a whole. */
export function changeHealthCheck(
  group: CheckedGroup,
  present: HealthCheckSettings,
  input: HealthCheckInput,
): Result<HealthCheckSettings, Fault> {
  const wrong = checkGiven(group, input);
  if (wrong !== undefined) return refuse(wrong);
  const protocol = (input.HealthCheckProtocol ?? present.protocol) as HealthCheckSettings['protocol'];
  const connectsOnly = protocol === 'TCP';
  if (connectsOnly && (input.HealthCheckPath !== undefined || input.Matcher !== undefined)) {
    const member = input.Matcher === undefined ? 'Health check path' : 'Matcher';
    return refuse(fault('InvalidConfigurationRequest', `${member} cannot be specified for health checks by TCP`));
  }
  // What TCP has no use for begins with its default when the checks become requests.
  const fresh = defaultsOf(group, protocol);
  const settings: HealthCheckSettings = {
    enabled: input.HealthCheckEnabled ?? present.enabled,
    protocol,
    port: input.HealthCheckPort ?? present.port,
    path: connectsOnly ? '' : (input.HealthCheckPath ?? (present.path || fresh.path)),
    intervalSeconds: input.HealthCheckIntervalSeconds ?? present.intervalSeconds,
    timeoutSeconds: input.HealthCheckTimeoutSeconds ?? present.timeoutSeconds,
    healthyThresholdCount: input.HealthyThresholdCount ?? present.healthyThresholdCount,
    unhealthyThresholdCount: input.UnhealthyThresholdCount ?? present.unhealthyThresholdCount,
    matcher: connectsOnly
      ? ''
      : (input.Matcher?.HttpCode ?? input.Matcher?.GrpcCode ?? (present.matcher || fresh.matcher)),
  };
  const { timeoutSeconds, intervalSeconds } = settings;
  if (timeoutSeconds + gapOf(group) <= intervalSeconds) return accept(settings);
  const relation = gapOf(group) === 0 ? 'at most as long as' : 'smaller than';
  const message = `Health check timeout '${timeoutSeconds}' must be ${relation} the interval '${intervalSeconds}'`;
  return refuse(fault('ValidationError', message));
}

/** The settings as members of the API's target group. */
export function encodeHealthCheck(group: CheckedGroup, settings: HealthCheckSettings): TargetGroup {
  const isFunction = familyOf(group) === 'function';
  const matcher = group.protocolVersion === 'GRPC' ? { GrpcCode: settings.matcher } : { HttpCode: settings.matcher };
  return {
    ...(!isFunction && { HealthCheckProtocol: settings.protocol, HealthCheckPort: settings.port }),
    HealthCheckEnabled: settings.enabled,
    HealthCheckIntervalSeconds: settings.intervalSeconds,
    HealthCheckTimeoutSeconds: settings.timeoutSeconds,
    HealthyThresholdCount: settings.healthyThresholdCount,
    UnhealthyThresholdCount: settings.unhealthyThresholdCount,
    ...(settings.path !== '' && { HealthCheckPath: settings.path }),
    ...(settings.matcher !== '' && { Matcher: matcher }),
  };
}

/** Requests must be over before the next begins; one connection may be given up just then. */
function gapOf(group: CheckedGroup): number {
  return familyOf(group) === 'transport' ? 0 : 1;
}

function defaultsOf(group: CheckedGroup, chosen: string | undefined): HealthCheckSettings {
  const family = familyOf(group);
  const common = { port: 'traffic-port', healthyThresholdCount: 5, unhealthyThresholdCount: 2 };
  switch (family) {
    case 'function':
      return {
        ...common,
        enabled: false,
        protocol: 'HTTP',
        path: '/',
        intervalSeconds: 35,
        timeoutSeconds: 30,
        matcher: '200',
      };
    case 'http': {
      const isGrpc = group.protocolVersion === 'GRPC';
      const [path, matcher] = isGrpc ? ['/AWS.ALB/healthcheck', '12'] : ['/', '200'];
      return { ...common, enabled: true, protocol: 'HTTP', path, intervalSeconds: 30, timeoutSeconds: 5, matcher };
    }
    case 'transport': {
      const protocol = (chosen ?? (group.targetType === 'alb' ? 'HTTP' : 'TCP')) as HealthCheckSettings['protocol'];
      const [path, matcher] = protocol === 'TCP' ? ['', ''] : ['/', '200-399'];
      const timeoutSeconds = protocol === 'HTTP' ? 6 : 10;
      return { ...common, enabled: true, protocol, path, intervalSeconds: 30, timeoutSeconds, matcher };
    }
  }
}

function protocolsOf(group: CheckedGroup): readonly string[] {
  return familyOf(group) === 'http' || group.targetType === 'alb' ? ['HTTP', 'HTTPS'] : ['HTTP', 'HTTPS', 'TCP'];
}

function checkGiven(group: CheckedGroup, input: HealthCheckInput): Fault | undefined {
  const { HealthCheckProtocol: protocol, HealthCheckPort: port, HealthCheckPath: path } = input;
  const family = familyOf(group);
  if (family === 'function' && (protocol !== undefined || port !== undefined)) {
    const member = protocol === undefined ? 'Health check port' : 'Health check protocol';
    return fault('ValidationError', `${member} cannot be specified for target groups with target type 'lambda'`);
  }
  return (
    (input.HealthCheckEnabled === false && family !== 'function'
      ? fault(
          'InvalidConfigurationRequest',
          `Health check enabled must be true for target groups with target type '${group.targetType}'`,
        )
      : undefined) ??
    // TCP checks are for groups of TCP and the like; the other protocols check nothing (CreateTargetGroup).
    (protocol === undefined ? undefined : checkChoice('Health check protocol', protocol, protocolsOf(group))) ??
    (port === undefined || port === 'traffic-port' ? undefined : checkPortText('Health check port', port)) ??
    (path === undefined ? undefined : checkPath(path)) ??
    checkGivenRange('Health check interval', input.HealthCheckIntervalSeconds, intervalRange) ??
    checkGivenRange('Health check timeout', input.HealthCheckTimeoutSeconds, timeoutRange) ??
    checkGivenRange('Healthy threshold count', input.HealthyThresholdCount, thresholdRange) ??
    checkGivenRange('Unhealthy threshold count', input.UnhealthyThresholdCount, thresholdRange) ??
    checkMatcher(group, input.Matcher)
  );
}

function checkGivenRange(
  member: string,
  value: number | undefined,
  range: { readonly min: number; readonly max: number },
): Fault | undefined {
  return value === undefined ? undefined : checkRange(member, value, range);
}

function checkPath(path: string): Fault | undefined {
  if (path.length <= pathLengthMax && pathPattern.test(path)) return undefined;
  const allowed = `must start with '/', hold visible ASCII characters, and have at most ${pathLengthMax}`;
  return fault('ValidationError', `Health check path '${shown(path)}' ${allowed}`);
}

/** Status codes, or those of gRPC where that is spoken. A network load balancer takes up to 599. */
function checkMatcher(group: CheckedGroup, matcher: HealthCheckInput['Matcher']): Fault | undefined {
  if (matcher === undefined) return undefined;
  const isGrpc = group.protocolVersion === 'GRPC';
  const [member, foreign] = isGrpc ? (['GrpcCode', 'HttpCode'] as const) : (['HttpCode', 'GrpcCode'] as const);
  if (matcher[foreign] !== undefined) {
    const version = group.protocolVersion === undefined ? '' : ` with protocol version '${group.protocolVersion}'`;
    return fault('ValidationError', `Matcher: ${foreign} cannot be specified for target groups${version}`);
  }
  const codes = matcher[member];
  if (codes === undefined) return fault('ValidationError', `Matcher: ${member} must be specified`);
  const range = isGrpc ? { min: 0, max: 99 } : { min: 200, max: familyOf(group) === 'transport' ? 599 : 499 };
  if (codes.length <= matcherLengthMax && codes.split(',').every((part) => isCodeOrRange(part, range)))
    return undefined;
  const example = isGrpc ? '0,12-13' : '200,301-302';
  return fault(
    'ValidationError',
    `Health check matcher ${isGrpc ? 'gRPC' : 'HTTP'} code '${shown(codes)}' must be codes or ranges of them from ${range.min} to ${range.max}, as '${example}'`,
  );
}

function isCodeOrRange(part: string, range: { readonly min: number; readonly max: number }): boolean {
  const bounds = part.split('-').map((bound) => parseDecimal(bound) ?? -1);
  const [first, last = first] = bounds as [number, number?];
  return bounds.length <= 2 && first >= range.min && last! >= first && last! <= range.max;
}
